// The report of a benchmark run: one JSON schema, from which the terminal and Markdown tables are made.
import { z } from 'zod';
import { OPS } from './shapes.js';

export const IMPLS = ['faultline', 'onednn', 'onnxruntime'] as const;
export type Impl = (typeof IMPLS)[number];

const positive = z.number().positive();
const threads = z.number().int().positive();

export const machineSchema = z.object({
  cpu: z.string(),
  /** Chosen by faultline, or set by the user. */
  isa: z.string(),
  /** CPUs this process may use. */
  cpus: threads,
  l1Bytes: positive,
  l2Bytes: positive,
  l3Bytes: positive,
  /** Versions, '' where a peer is absent. */
  onednn: z.string(),
  onednnIsa: z.string(),
  onnxruntime: z.string(),
});

const ceilingSchema = z.object({
  name: z.string(),
  unit: z.enum(['GOPS', 'GB/s']),
  value: positive,
  threads,
});

export const rowSchema = z.object({
  op: z.enum(OPS),
  shape: z.string(),
  impl: z.enum(IMPLS),
  isa: z.string(),
  threads,
  /** Of one call, over the rounds. */
  medianUs: positive,
  /** The same round by round: round i of every implementation of a job ran right after one another. */
  roundsUs: z.array(positive),
  /** 2 · multiply-adds / median. */
  gops: positive,
  /** Calls timed together in a round. */
  calls: z.number().int().positive(),
  /** What exactly was measured. */
  variant: z.string(),
  /** The peer's name for the kernel it chose; '' where it does not report one. */
  kernel: z.string(),
  sets: z.array(z.string()),
  /** Share of what the machine could do at best, 0–100 (see bench/README.md), and what bounds it. */
  percentOfCeiling: positive.optional(),
  ceiling: z.string().optional(),
  /** faultline only: the strongest peer, and the median over rounds of its time over ours. */
  bestPeer: z.enum(IMPLS).optional(),
  ratioToBestPeer: positive.optional(),
});

const failureSchema = z.object({
  op: z.enum(OPS),
  shape: z.string(),
  impl: z.enum(IMPLS),
  threads,
  variant: z.string(),
  reason: z.string(),
});

const targetResultSchema = z.object({
  what: z.string(),
  expected: z.string(),
  /** The figure, or why there is none. */
  measured: z.string(),
  verdict: z.enum(['met', 'missed', 'not measured']),
});

export const benchReportSchema = z.object({
  schema: z.literal('faultline.bench/1'),
  command: z.string(),
  startedAt: z.iso.datetime(),
  quick: z.boolean(),
  machine: machineSchema,
  ceilings: z.array(ceilingSchema),
  rows: z.array(rowSchema),
  /** Implementations whose numbers were wrong: not timed. */
  failures: z.array(failureSchema),
  /** What could not be compared, and why. */
  notes: z.array(z.string()),
  /** With --targets. */
  targets: z.array(targetResultSchema).optional(),
});

export type Machine = z.infer<typeof machineSchema>;
export type Ceiling = z.infer<typeof ceilingSchema>;
export type Row = z.infer<typeof rowSchema>;
export type BenchFailure = z.infer<typeof failureSchema>;
export type TargetResult = z.infer<typeof targetResultSchema>;
export type BenchReport = z.infer<typeof benchReportSchema>;

/** One line of the native program's output. */
export const nativeMessageSchema = z.discriminatedUnion('type', [
  machineSchema.extend({ type: z.literal('machine') }),
  ceilingSchema.extend({ type: z.literal('ceiling') }),
  rowSchema
    .pick({
      impl: true,
      variant: true,
      kernel: true,
      isa: true,
      threads: true,
      medianUs: true,
      roundsUs: true,
      gops: true,
    })
    .extend({
      type: z.literal('row'),
      job: z.number().int(),
      calls: z.number().int().positive(),
    }),
  failureSchema
    .pick({ impl: true, threads: true, variant: true, reason: true })
    .extend({ type: z.literal('failure'), job: z.number().int() }),
  z.object({ type: z.literal('note'), job: z.number().int().optional(), text: z.string() }),
  z.object({ type: z.literal('done'), job: z.number().int() }),
]);
export type NativeMessage = z.infer<typeof nativeMessageSchema>;
