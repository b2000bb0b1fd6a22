// What is kept of a benchmark run in bench/results: one row for each operation and thread count.
import { z } from 'zod';
import { geometricMean, ratios, sections } from './figures.js';
import { type BenchReport, IMPLS, machineSchema, rowSchema } from './schema.js';

const summaryRowSchema = rowSchema.pick({ op: true, threads: true }).extend({
  /** How many shapes faultline was timed on. */
  shapes: z.number().int().nonnegative(),
  /** The fastest peer's time over ours, shape by shape; absent where no peer was timed. */
  ratioToBestPeer: z.object({ mean: z.number(), worst: z.number(), best: z.number() }).optional(),
  /** Of our fastest shape. */
  gops: z.number().positive().optional(),
  peers: z.array(z.enum(IMPLS)),
});

export const summarySchema = z.object({
  schema: z.literal('faultline.bench.summary/1'),
  command: z.string(),
  startedAt: z.iso.datetime(),
  machine: machineSchema,
  rows: z.array(summaryRowSchema),
});
export type Summary = z.infer<typeof summarySchema>;

/** The summary of a full report. Throws for a quick one and for one without figures. */
export function summarizeBench(report: BenchReport): Summary {
  if (report.quick || report.rows.length === 0) {
    throw new Error(
      `summarizeBench: report: expected figures of a full run, received ${report.quick ? 'a quick run' : 'none'}`,
    );
  }
  const { command, startedAt, machine } = report;
  const rows = sections(report).map(({ op, threads, shapes }) => {
    const all = shapes.flatMap((shape) => shape.rows);
    const ours = all.filter((row) => row.impl === 'faultline');
    const against = ratios(shapes);
    const mean = geometricMean(against);
    return {
      op,
      threads,
      shapes: ours.length,
      ratioToBestPeer:
        mean === undefined ? undefined : { mean, worst: Math.min(...against), best: Math.max(...against) },
      gops: ours.length === 0 ? undefined : Math.max(...ours.map((row) => row.gops)),
      peers: [...new Set(all.map((row) => row.impl))].filter((impl) => impl !== 'faultline'),
    };
  });
  return { schema: 'faultline.bench.summary/1', command, startedAt, machine, rows };
}
