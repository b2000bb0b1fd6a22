// The parts of report.json about when and why a network breaks: corruptions, indicators, mitigation.
import { z } from 'zod';
import { interval, percentage as percent, pngUrl } from './kind.js';

const points = z.number().min(-100).max(100);

export const corruptionsSchema = z.looseObject({
  images: z.number().int().positive().optional(),
  grid: z.array(
    z.looseObject({
      /** ImageNet-C's name, or a transformation's or range attack's. */
      corruption: z.string(),
      severity: z.number(),
      /** ImageNet-C's, `transformation` or `range`. */
      family: z.string().optional(),
      policy: z.string(),
      /** Which network, where there are several. */
      network: z.string().optional(),
      fpAccuracy: percent,
      quantizedAccuracy: percent,
      /** What quantization adds: fpAccuracy less quantizedAccuracy, both under this corruption. */
      drop: points,
      interval: interval.optional(),
    }),
  ),
  /** Contact sheet: what each looks like. */
  pictures: z.array(z.looseObject({ corruption: z.string(), severity: z.number(), picture: pngUrl })).optional(),
});

export const indicatorsSchema = z.array(
  z.looseObject({
    indicator: z.string(),
    /** Of the network of this report. */
    value: z.number().optional(),
    /** Of several networks, by name. */
    values: z.record(z.string(), z.number()).optional(),
    /** With the drop, over a population of networks. */
    spearman: z.number().optional(),
    spearmanInterval: interval.optional(),
    auroc: z.number().optional(),
    aurocInterval: interval.optional(),
    note: z.string().optional(),
  }),
);

export const mitigationSchema = z.array(
  z.looseObject({
    network: z.string(),
    cure: z.string(),
    policy: z.string().optional(),
    /** What images it was judged on, where there are several kinds: `clean`, `one bright pixel`. */
    scene: z.string().optional(),
    fpAccuracy: percent,
    before: percent,
    after: percent,
    afterInterval: interval.optional(),
    /** Whether it was kept: measured better on validation images. */
    kept: z.boolean().optional(),
    /** Whether it was tried at all. */
    applied: z.boolean().optional(),
    /** What was done, or why nothing was. */
    what: z.string().optional(),
  }),
);

/** What a network fails of, a sentence for each failure. */
export const diagnosisSchema = z.looseObject({
  reasons: z.array(z.string()),
  /** The samples it was measured on. */
  note: z.string().optional(),
});
