// report.json, schema faultline.report/1: what a run found. Every other format of a report is made from it alone.
// Accuracies are percent, differences of accuracies points, both on a scale of 100. Fields are optional where a command
// may not have measured them; what the schema does not know is kept.
import { z } from 'zod';
import { count, interval, percentage as percent, pngUrl } from './kind.js';
import { corruptionsSchema, diagnosisSchema, indicatorsSchema, mitigationSchema } from './schema_stress.js';

const points = z.number().min(-100).max(100);
const bits = z.number().min(2).max(8);
const seed = count;

/** Lines over steps, evaluations, epochs. */
const curveSchema = z.looseObject({
  title: z.string(),
  xLabel: z.string(),
  yLabel: z.string(),
  /** What y is: percent, points or just a number. */
  yUnit: z.enum(['percent', 'points', 'number', 'bits']).default('number'),
  series: z.array(z.object({ name: z.string(), points: z.array(z.tuple([z.number(), z.number()])) })),
});

const teacherSchema = z.looseObject({
  /** On the test images, full precision. */
  accuracy: percent,
  interval: interval.optional(),
  arch: z.string().optional(),
  parameters: count.optional(),
  /** Test images. */
  images: count.optional(),
  validationAccuracy: percent.optional(),
  /** Quantized without any attack: the ordinary network. */
  uniform: z.array(z.looseObject({ name: z.string(), accuracy: percent, drop: points })).optional(),
  curves: z.array(curveSchema).optional(),
});

/** Bits of one layer; of an input-conditioned policy the mean, and how often it chose which. */
const policyLayerSchema = z.looseObject({
  node: z.string(),
  operator: z.string().optional(),
  weightBits: bits,
  activationBits: bits,
  /** Share of the inputs, 0–1, by number of bits: { "4": .7, "8": .3 }. */
  chosen: z.record(z.string(), z.number().min(0).max(1)).optional(),
});

const flipSchema = z.looseObject({
  /** Among the images measured. */
  index: count,
  label: z.string().optional(),
  /** Class in full precision and quantized. */
  before: z.string(),
  after: z.string(),
  /** A data URL of the image. */
  picture: pngUrl.optional(),
});

const flipsSchema = z.looseObject({
  /** Images whose class changed, of all. */
  count,
  of: count,
  /** Right in full precision and wrong quantized, and the reverse; need labels. */
  newlyWrong: count.optional(),
  newlyRight: count.optional(),
  examples: z.array(flipSchema),
});

const classSchema = z.looseObject({
  name: z.string(),
  images: count,
  fpAccuracy: percent,
  quantizedAccuracy: percent,
});

const responsibleSchema = z.looseObject({
  node: z.string(),
  /** Quantized accuracy with this layer alone back in full precision (or 8 bits, says `how`), and the points it wins. */
  accuracy: percent,
  restored: points,
});

const controlSchema = z.looseObject({
  /** 'open loop', 'shuffled bits', 'worst static', 'fresh attacker', or another. */
  control: z.string(),
  accuracy: percent,
  drop: points,
  note: z.string().optional(),
});

const pairSchema = z.looseObject({
  objective: z.string(),
  policy: z.enum(['static', 'input']),
  agent: z.string(),
  seed,
  effectiveBits: bits,
  fpAccuracy: percent,
  /** Teacher's accuracy less the student's. */
  fpGap: points,
  quantizedAccuracy: percent,
  /** fpAccuracy less quantizedAccuracy. */
  drop: points,
  arch: z.string().optional(),
  /** Bits the policy chooses from. */
  choices: z.array(bits).optional(),
  images: count.optional(),
  fpInterval: interval.optional(),
  quantizedInterval: interval.optional(),
  dropInterval: interval.optional(),
  /** McNemar's, that quantization changes nothing. */
  pValue: z.number().min(0).max(1).optional(),
  layers: z.array(policyLayerSchema).optional(),
  flips: flipsSchema.optional(),
  classes: z.array(classSchema).optional(),
  /** The same network under uniform policies. */
  uniform: z.array(z.looseObject({ name: z.string(), accuracy: percent, drop: points })).optional(),
  responsible: z.array(responsibleSchema).optional(),
  controls: z.array(controlSchema).optional(),
  curves: z.array(curveSchema).optional(),
});

const gaugeSchema = z.looseObject({
  seed,
  /** The policy attacked: `W8A8`. */
  bits: z.string(),
  fpAccuracy: percent,
  /** Whether the logits are those of the teacher, bit for bit. */
  fpBitExact: z.boolean(),
  quantizedAccuracy: percent,
  drop: points,
  fpGap: points.optional(),
  quantizedInterval: interval.optional(),
  dropInterval: interval.optional(),
  curves: z.array(curveSchema).optional(),
});

const searchSchema = z.looseObject({
  agent: z.string(),
  evaluations: count,
  /** Points between the best it found and the best there is. */
  regret: z.number(),
  seed: seed.optional(),
  /** Which network and budget was searched. */
  landscape: z.string().optional(),
  accuracy: percent.optional(),
  /** [evaluations, regret or best so far] */
  curve: z.array(z.tuple([z.number(), z.number()])).optional(),
});

const landscapeSchema = z.looseObject({
  name: z.string(),
  budget: bits.optional(),
  policies: count,
  /** Whether all policies in budget were measured, or a sample. */
  exhaustive: z.boolean(),
  bins: z.array(z.object({ from: z.number(), to: z.number(), count })),
  marks: z.array(z.object({ x: z.number(), label: z.string() })).optional(),
});

const referenceSchema = z.looseObject({
  what: z.string(),
  /** As published: `10–65 points`. */
  published: z.string(),
  ours: z.string().optional(),
  source: z.string().optional(),
});

const assumptionSchema = z.looseObject({
  what: z.string(),
  /** What this implementation does. */
  assumed: z.string(),
});

const provenanceSchema = z.looseObject({
  command: z.string(),
  startedAt: z.iso.datetime().optional(),
  versions: z.record(z.string(), z.string()),
  cpu: z.string().optional(),
  isa: z.string(),
  threads: z.number().int().positive(),
  seeds: z.array(seed).optional(),
  data: z.string().optional(),
  images: z.record(z.string(), count).optional(),
  /** SHA-256 by file or by what was hashed. */
  hashes: z.record(z.string(), z.string()).optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  /** Where the time went. */
  stages: z.array(z.object({ name: z.string(), seconds: z.number().nonnegative() })).optional(),
  peakMemoryBytes: z.number().positive().optional(),
});

/** Contents of report.json, schema faultline.report/1. */
export const reportSchema = z.looseObject({
  schema: z.literal('faultline.report/1'),
  title: z.string().optional(),
  /** One or two sentences; written from the figures when absent. */
  summary: z.string().optional(),
  teacher: teacherSchema.optional(),
  pairs: z.array(pairSchema).default([]),
  gauge: z.array(gaugeSchema).default([]),
  search: z.array(searchSchema).default([]),
  landscapes: z.array(landscapeSchema).optional(),
  curves: z.array(curveSchema).optional(),
  corruptions: corruptionsSchema.optional(),
  indicators: indicatorsSchema.optional(),
  diagnosis: diagnosisSchema.optional(),
  mitigation: mitigationSchema.optional(),
  references: z.array(referenceSchema).optional(),
  assumptions: z.array(assumptionSchema).optional(),
  provenance: provenanceSchema.optional(),
  totalSeconds: z.number().nonnegative().optional(),
});

export type Curve = z.infer<typeof curveSchema>;
export type PolicyLayer = z.infer<typeof policyLayerSchema>;
export type Flips = z.infer<typeof flipsSchema>;
export type PairResult = z.infer<typeof pairSchema>;
export type GaugeResult = z.infer<typeof gaugeSchema>;
export type SearchResult = z.infer<typeof searchSchema>;
export type Landscape = z.infer<typeof landscapeSchema>;
/** A report as it is read back. */
export type Report = z.infer<typeof reportSchema>;
/** A report as a command may hand it in: what has a default may be absent. */
export type ReportInput = z.input<typeof reportSchema>;
