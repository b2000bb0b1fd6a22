// What `train` made: a network with its full-precision accuracy, and how it was trained.
import { z } from 'zod';
import { type Document, section, table } from '../document.js';
import { formatDuration, formatNumber } from '../format.js';
import { count, defineKind } from '../kind.js';
import { evaluationSchema, evaluationTable } from './evaluate.js';

const trainSchema = z.looseObject({
  schema: z.literal('faultline.train/1'),
  model: z.string(),
  arch: z.string(),
  data: z.string(),
  threads: count,
  recipe: z.looseObject({ epochs: count, batchSize: count, seed: count }),
  images: z.looseObject({ train: count, validation: count, test: count }),
  steps: count,
  seconds: z.number(),
  validation: evaluationSchema.optional(),
  test: evaluationSchema,
});

function trainDocument(result: z.output<typeof trainSchema>): Document {
  const { arch, data, recipe, images, seconds, steps, threads, test, validation } = result;
  const settings = Object.entries({ images, threads, ...recipe });
  return {
    title: `${arch} on ${data}`,
    lead:
      `${formatNumber(100 * test.accuracy, 'percent')} % of ${test.images} test images in full precision, after ` +
      `${steps} steps in ${formatDuration(seconds)}.`,
    facts: [],
    sections: [
      ...section('accuracy', 'Accuracy', [
        evaluationTable([...(validation ? [['held out', validation] as const] : []), ['test', test]]),
      ]),
      ...section('recipe', 'Recipe', [
        table({ name: 'recipe', caption: 'What decides the result' }, settings, [
          ['setting', 'setting', 'text', ([name]) => name],
          [
            'value',
            'value',
            'text',
            ([, value]) => (typeof value === 'object' ? JSON.stringify(value) : String(value)),
          ],
        ]),
      ]),
    ],
    footer: `faultline · seed ${recipe.seed}`,
  };
}

export const kind = defineKind({ schema: 'faultline.train/1', result: trainSchema, document: trainDocument });
