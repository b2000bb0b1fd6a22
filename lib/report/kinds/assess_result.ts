// The JSON of `assess`, schema faultline.assess/2. Percent and points on a scale of 100.
import { z } from 'zod';
import { formatScheme, schemeOf } from '../../format/scheme.js';
import { count, decibels, interval } from '../kind.js';
import { leftInFloatSchema } from '../sections/left_in_float.js';

const level = z.enum(['safe', 'caution', 'unsafe']);
/** Names of schemes by name of node. */
const policySchema = z.looseObject({ nodes: z.record(z.string(), z.string()) });

/** What quantization does on the samples that judge. */
const figures = {
  accuracy: z.number().optional(),
  agreement: z.number(),
  drop: z.number(),
  interval,
  flips: count,
  newlyWrong: count.optional(),
  newlyRight: count.optional(),
  pValue: z.number().optional(),
  worstClass: z.looseObject({ label: count, samples: count, fpAccuracy: z.number(), accuracy: z.number() }).optional(),
  margins: z.looseObject({
    fp: z.looseObject({ median: z.number() }),
    quantized: z.looseObject({ median: z.number() }),
  }),
  level,
};

const agentSchema = z.looseObject({
  agent: z.string(),
  objective: z.enum(['detrimental', 'robust']),
  evaluations: count,
  value: z.number(),
  history: z.array(z.tuple([z.number(), z.number()])),
});

export const assessSchema = z.looseObject({
  schema: z.literal('faultline.assess/2'),
  model: z.string(),
  measure: z.enum(['accuracy', 'agreement']),
  thresholds: z.looseObject({
    maxDrop: z.number(),
    dropType: z.enum(['absolute', 'relative']),
    confidence: z.number(),
    catastrophe: z.number(),
  }),
  samples: z.looseObject({ all: count, searched: count, judged: count, apart: z.boolean() }),
  fp: z.looseObject({ accuracy: z.number().optional(), agreement: z.number().optional() }),
  policies: z.array(
    z.looseObject({
      name: z.string(),
      found: z.enum(['worst', 'best']).optional(),
      effectiveBits: z.number().optional(),
      policy: policySchema,
      ...figures,
    }),
  ),
  predicted: z.array(
    z.looseObject({
      policy: z.string(),
      probability: z.number(),
      drop: z.number(),
      interval,
      measured: z.number(),
    }),
  ),
  search: z
    .looseObject({
      choices: z.array(z.string()),
      bits: z.number(),
      policies: z.union([z.string(), z.number()]),
      samples: count,
      agents: z.array(agentSchema),
    })
    .optional(),
  subject: z.string().optional(),
  sensitivity: z.array(z.looseObject({ node: z.string(), drop: z.number(), restored: z.number() })),
  remedies: z.array(z.looseObject({ what: z.string(), ...figures })),
  profile: z.array(
    z.looseObject({
      node: z.string(),
      aloneSqnrDb: decibels,
      sqnrDb: decibels,
      propagatedShare: z.number(),
      spread: z.number().optional(),
      outliers: count,
    }),
  ),
  granularity: z.array(
    z.looseObject({
      policy: z.string(),
      weights: z.enum(['perChannel', 'perTensor']),
      activations: z.enum(['perSample', 'perBatch']),
      samples: count,
      ...figures,
    }),
  ),
  processors: z.array(z.looseObject({ name: z.string(), policy: z.string(), samples: count, ...figures })),
  leftInFloat: leftInFloatSchema,
  skipped: z.array(z.looseObject({ stage: z.string(), why: z.string() })),
  estimate: z.looseObject({
    seconds: z.number(),
    stages: z.array(z.looseObject({ stage: z.string(), seconds: z.number() })),
  }),
  seconds: z.record(z.string(), z.number()),
  verdict: level,
  answer: z.string(),
  reasons: z.array(z.string()),
  advice: z.array(z.string()),
});

const bits = z.number().int().min(2).max(8);
const bitWidths = z
  .object({ weightBits: bits, activationBits: bits })
  .transform(({ weightBits, activationBits }) => formatScheme(schemeOf(weightBits, activationBits)));

/** Schema 1: nodes have two bit widths, agents a goal, and predictions another name. */
export const firstAssessSchema = z
  .looseObject({
    policies: z.array(z.looseObject({ policy: z.looseObject({ nodes: z.record(z.string(), bitWidths) }) })),
    search: z
      .looseObject({ agents: z.array(z.looseObject({ goal: z.enum(['worst', 'best']) })) })
      .transform(({ agents, ...search }) => ({
        ...search,
        agents: agents.map(({ goal, ...agent }) => ({
          ...agent,
          objective: goal === 'worst' ? 'detrimental' : 'robust',
        })),
      }))
      .optional(),
  })
  .transform(({ foretold: predicted, ...found }) => ({ ...found, predicted, schema: 'faultline.assess/2' }))
  .pipe(assessSchema);

export type Assessment = z.output<typeof assessSchema>;
export type LossFigures = Pick<Assessment['remedies'][number], 'drop' | 'interval'>;
