// What `evaluate` found: full-precision accuracy of a model.
import { basename } from 'node:path';
import { z } from 'zod';
import { type Document, section, type Table, table } from '../document.js';
import { formatNumber } from '../format.js';
import { count, defineKind, share } from '../kind.js';

/** Accuracy of a network on labelled images: lib/train/evaluate.ts. */
export const evaluationSchema = z.looseObject({
  images: count,
  correct: count,
  accuracy: share,
  /** Mean cross-entropy; absent where the task has none. */
  loss: z.number().optional(),
});

type Evaluation = z.output<typeof evaluationSchema>;

/** A row for each set of images. */
export function evaluationTable(sets: readonly (readonly [name: string, evaluation: Evaluation])[]): Table {
  return table({ name: 'accuracy', caption: 'Full precision', brief: true }, sets, [
    ['images', 'images', 'text', ([name]) => name],
    ['accuracy', 'accuracy', 'percent', ([, { accuracy }]) => 100 * accuracy, { better: 'higher' }],
    ['correct', 'correct', 'count', ([, { correct }]) => correct, { better: 'higher' }],
    ['of', 'of', 'count', ([, { images }]) => images],
    ['loss', 'loss', 'number', ([, { loss }]) => loss, { better: 'lower' }],
  ]);
}

const evaluateSchema = evaluationSchema.extend({ schema: z.literal('faultline.evaluate/1'), model: z.string() });

function evaluateDocument(result: z.output<typeof evaluateSchema>): Document {
  const { model, accuracy, correct, images, loss } = result;
  return {
    title: `Accuracy of ${basename(model)}`,
    lead:
      `accuracy ${formatNumber(100 * accuracy, 'percent')} % (${correct} of ${images})` +
      `${loss === undefined ? '' : `, loss ${loss.toFixed(4)}`}, in full precision.`,
    facts: [],
    sections: section('accuracy', 'Accuracy', [evaluationTable([['evaluated', result]])]),
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.evaluate/1', result: evaluateSchema, document: evaluateDocument });
