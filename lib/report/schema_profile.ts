// The part of report.json about quantization error layer by layer.
import { z } from 'zod';

const errorLayerSchema = z.looseObject({
  node: z.string(),
  policy: z.string().optional(),
  sqnrDb: z.number().optional(),
  mse: z.number().optional(),
  cosine: z.number().optional(),
  maxAbsError: z.number().optional(),
  /** Mean square error by its cause: activation rounding, clipping, weight rounding, …, propagated. */
  terms: z.record(z.string(), z.number()).optional(),
  /** Error of each channel: mse. */
  channels: z.array(z.number()).optional(),
  histogram: z.array(z.object({ from: z.number(), to: z.number(), count: z.number().nonnegative() })).optional(),
});

export const errorProfileSchema = z.array(errorLayerSchema);
