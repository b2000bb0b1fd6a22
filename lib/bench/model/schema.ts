// The report of `faultline bench model`: schema faultline.bench-model/1.
import { z } from 'zod';
import { CONTENDERS, layerTimeSchema } from './contender.js';

const positive = z.number().positive();
const count = z.number().int().positive();

const modelRowSchema = z.object({
  impl: z.enum(CONTENDERS),
  policy: z.string(),
  variant: z.string(),
  batch: count,
  threads: count,
  /** Median over rounds; a round's is that of its median call. */
  samplesPerSecond: positive,
  /** Mean over rounds and its deviation. */
  meanSamplesPerSecond: positive,
  deviation: z.number().nonnegative(),
  /** Of single calls, one batch each, in milliseconds, over all rounds. */
  latencyMs: z.object({ median: positive, p90: positive, p99: positive, least: positive }),
  /** CPU time of a call over all threads, median over rounds: what other processes hardly change. */
  cpuMs: positive,
  /** Calls measured. */
  calls: count,
  /** Samples a second round by round: round i of every contender ran right after one another. */
  rounds: z.array(positive),
  /** Highest resident memory of the process, Node.js included, and before it loaded the network. */
  peakMemoryBytes: positive,
  baselineMemoryBytes: positive,
  /** Beside float32 on the same inputs: signal to noise of the logits, and the share of equal classes, 0–1. */
  sqnrDb: z.number().optional(),
  sameClass: z.number().min(0).max(1),
  /** faultline only: median over rounds of its speed over the peer's, the quantized against the quantized. */
  peer: z.string().optional(),
  ratioToPeer: positive.optional(),
  /** The same of CPU time. */
  cpuRatioToPeer: positive.optional(),
  /** faultline under a policy: time by layer, and what is not in a quantized layer, of one batch. */
  layers: z.array(layerTimeSchema).optional(),
  otherMs: z.number().nonnegative().optional(),
});

const modelFailureSchema = z.object({
  impl: z.enum(CONTENDERS),
  policy: z.string(),
  batch: count,
  threads: count,
  reason: z.string(),
});

export const modelReportSchema = z.object({
  schema: z.literal('faultline.bench-model/1'),
  command: z.string(),
  startedAt: z.iso.datetime(),
  model: z.string(),
  macs: z.number().nonnegative(),
  parameters: z.number().nonnegative(),
  machine: z.object({
    cpu: z.string(),
    isa: z.string(),
    cpus: count,
    node: z.string(),
    /** '' where it is not installed. */
    onnxruntime: z.string(),
  }),
  rows: z.array(modelRowSchema),
  /** Contenders that could not run or were wrong: not timed. */
  failures: z.array(modelFailureSchema),
  notes: z.array(z.string()),
});

export type ModelRow = z.infer<typeof modelRowSchema>;
export type ModelReport = z.infer<typeof modelReportSchema>;
