// The JSON of `profile`, schema faultline.profile/1.
import { z } from 'zod';
import { count, decibels, figure, share } from '../kind.js';
import { leftInFloatSchema } from '../sections/left_in_float.js';

const termSchema = z.looseObject({ mse: z.number(), sqnrDb: decibels, share: z.number() });

/** What one layer makes of its inputs, by cause. */
const ownErrorSchema = z.looseObject({
  sqnrDb: decibels,
  mse: z.number(),
  terms: z.looseObject({
    activationRounding: termSchema,
    activationClipping: termSchema,
    weightRounding: termSchema,
    cross: termSchema,
    saturation: termSchema,
  }),
  activations: z.looseObject({ rmseOverScale: figure, unusedCodes: count, histogram: z.array(z.number()) }),
  weights: z.looseObject({ histogram: z.array(z.number()), largestCode: z.number() }),
  channels: z.array(
    z.looseObject({ sqnrDb: decibels, weights: z.looseObject({ rmseOverScale: figure, unusedRange: figure }) }),
  ),
});

/** Against full precision, everything before it quantized too. */
const outputErrorSchema = z.looseObject({
  sqnrDb: decibels,
  mse: z.number(),
  cosine: figure,
  maxAbsError: z.number(),
  meanError: z.number(),
  propagatedShare: z.number(),
});

const rangesSchema = z.looseObject({
  ranges: count,
  spread: figure,
  histogram: z.looseObject({ first: z.number(), binsPerOctave: z.number(), counts: z.array(z.number()) }),
});

const outlierSchema = z.looseObject({
  channel: count,
  maxAbs: z.number(),
  timesMedian: z.number(),
  setsRange: share,
});

const layerSchema = z.looseObject({
  node: z.string(),
  /** Absent: left in float32. */
  scheme: z.string().optional(),
  macs: count,
  isolated: ownErrorSchema.optional(),
  accumulated: outputErrorSchema,
  channels: z.array(outputErrorSchema),
  ranges: rangesSchema.optional(),
  inputs: z.looseObject({ outliers: z.array(outlierSchema) }).optional(),
  speed: z
    .looseObject({
      nsPerSample: z.number(),
      share: z.number(),
      gops: z.number(),
      ofCeiling: z.number(),
      bound: z.enum(['arithmetic', 'memory']),
    })
    .optional(),
});

export const profileSchema = z.looseObject({
  schema: z.literal('faultline.profile/1'),
  model: z.string(),
  policy: z.string(),
  effectiveBits: z.number().optional(),
  network: z.looseObject({
    samples: count,
    flips: count,
    accuracy: z.looseObject({ fp: share, quantized: share }).optional(),
    logits: outputErrorSchema,
    nsPerSample: z.looseObject({ layers: z.number(), others: z.number() }),
  }),
  ceilings: z.looseObject({
    integerGops: z.number(),
    copyGBs: z.array(z.looseObject({ bytes: count, value: z.number() })),
  }),
  layers: z.array(layerSchema),
  leftInFloat: leftInFloatSchema,
});

export type ProfileResult = z.output<typeof profileSchema>;
export type LayerResult = ProfileResult['layers'][number];
