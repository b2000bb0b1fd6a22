// What `evaluate` found: full-precision accuracy of a model.
import { basename } from 'node:path';
import { z } from 'zod';
import { column, type Document, type Table } from '../document.js';
import { formatNumber } from '../format.js';
import { count, defineKind, share } from '../kind.js';

/** Accuracy of a network on labelled images: lib/train/evaluate.ts. */
export const evaluationSchema = z.looseObject({
  images: count,
  correct: count,
  accuracy: share,
  /** Mean cross-entropy. */
  loss: z.number(),
});

type Evaluation = z.output<typeof evaluationSchema>;

/** A row for each set of images. */
export function evaluationTable(sets: readonly (readonly [name: string, evaluation: Evaluation])[]): Table {
  return {
    kind: 'table',
    name: 'accuracy',
    caption: 'Full precision',
    brief: true,
    columns: [
      column('images', 'images', 'text'),
      column('accuracy', 'accuracy', 'percent', { better: 'higher' }),
      column('correct', 'correct', 'count', { better: 'higher' }),
      column('of', 'of', 'count'),
      column('loss', 'loss', 'number', { better: 'lower' }),
    ],
    rows: sets.map(([name, { accuracy, correct, images, loss }]) => [name, 100 * accuracy, correct, images, loss]),
  };
}

const evaluateSchema = evaluationSchema.extend({ schema: z.literal('faultline.evaluate/1'), model: z.string() });

function evaluateDocument(result: z.output<typeof evaluateSchema>): Document {
  const { model, accuracy, correct, images, loss } = result;
  return {
    title: `Accuracy of ${basename(model)}`,
    lead:
      `accuracy ${formatNumber(100 * accuracy, 'percent')} % (${correct} of ${images}), loss ${loss.toFixed(4)}, in full ` +
      'precision.',
    facts: [],
    sections: [{ id: 'accuracy', title: 'Accuracy', blocks: [evaluationTable([['evaluated', result]])] }],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.evaluate/1', result: evaluateSchema, document: evaluateDocument });
