// Classification: the largest output is the class, and the class that is expected is good. Shares of the same samples are
// compared by Newcombe's interval and McNemar's exact test.
import { InvalidArgumentError } from '../core/errors.js';
import { pairedCounts, pairedDifference } from '../statistics/paired.js';
import { DEFAULT_CONFIDENCE, wilsonInterval } from '../statistics/shares.js';
import type {
  AccuracyComparison,
  Answers,
  ClassComparison,
  Comparison,
  ComparisonOptions,
  Flip,
  Task,
} from './task.js';

/** Place of the largest of `count` values from `start` on, counted from there; the first of equals. */
export function indexOfLargest(values: ArrayLike<number>, start: number, count: number): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best - start;
}

/** Throws InvalidArgumentError when the outputs are not complete rows. */
function answers(outputs: Float32Array, samples: number): Int32Array {
  const classes = outputs.length / samples;
  if (!Number.isInteger(classes)) {
    throw new InvalidArgumentError('classification', 'outputs', `${samples} rows`, `${outputs.length} numbers`);
  }
  return Int32Array.from({ length: samples }, (_, sample) => indexOfLargest(outputs, sample * classes, classes));
}

function read(outputs: Float32Array, samples: number): Answers {
  const [classes, margins] = [new Int32Array(samples), new Float32Array(samples)];
  const width = outputs.length / samples;
  for (let row = 0; row < samples; row++) {
    let [best, first, second] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < width; i++) {
      const value = outputs[row * width + i] as number;
      if (value > first) [best, second, first] = [i, first, value];
      else if (value > second) second = value;
    }
    classes[row] = best;
    margins[row] = width > 1 ? first - second : 0;
  }
  return { classes, margins };
}

/**
 * The two largest outputs of each row, and the first less the second in float64: what an indicator takes a gradient of.
 */
export function leaders(
  logits: Float32Array,
  classes: number,
): { readonly first: Int32Array; readonly second: Int32Array; readonly margins: Float64Array } {
  const rows = logits.length / classes;
  const [first, second, margins] = [new Int32Array(rows), new Int32Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    let [best, next] = [0, 1];
    const at = (k: number) => logits[row * classes + k] as number;
    if (at(1) > at(0)) [best, next] = [1, 0];
    for (let k = 2; k < classes; k++) {
      if (at(k) > at(best)) [best, next] = [k, best];
      else if (at(k) > at(next)) next = k;
    }
    first[row] = best;
    second[row] = next;
    margins[row] = at(best) - at(next);
  }
  return { first, second, margins };
}

function scores(classes: ArrayLike<number>, expected: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(classes, (value, i) => (value === expected[i] ? 1 : 0));
}

function good(classes: ArrayLike<number>, expected: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < classes.length; i++) if (classes[i] === expected[i]) count += 1;
  return count;
}

/** Mean softmax probability of the expected class. */
function support(logits: Float32Array, expected: ArrayLike<number>): number {
  const samples = expected.length;
  const classes = logits.length / samples;
  let sum = 0;
  for (let sample = 0; sample < samples; sample++) {
    const at = sample * classes;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, logits[at + i] as number);
    let total = 0;
    for (let i = 0; i < classes; i++) total += Math.exp((logits[at + i] as number) - largest);
    sum += Math.exp((logits[at + (expected[sample] as number)] as number) - largest) / total;
  }
  return sum / samples;
}

function compare(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  options: ComparisonOptions = {},
): Comparison {
  const { labels, confidence = DEFAULT_CONFIDENCE } = options;
  const samples = fullPrecision.length;
  for (const [name, values] of Object.entries({ quantized, labels })) {
    if (values && values.length !== samples) {
      throw new InvalidArgumentError('compare', name, `${samples} classes`, String(values.length));
    }
  }
  const flips: Flip[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const [before, after] = [fullPrecision[sample] as number, quantized[sample] as number];
    if (before !== after) flips.push({ sample, label: labels?.[sample], before, after });
  }
  const kept = samples - flips.length;
  return {
    samples,
    agreement: kept / samples,
    agreementInterval: wilsonInterval(kept, samples, confidence),
    flips,
    accuracy: labels && accuracyOf(fullPrecision, quantized, labels, confidence),
    newlyWrong: labels && flips.filter(({ label, before }) => label === before).length,
    newlyRight: labels && flips.filter(({ label, after }) => label === after).length,
    classes: labels && byClass(fullPrecision, quantized, labels),
  };
}

function accuracyOf(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  labels: ArrayLike<number>,
  confidence: number,
): AccuracyComparison {
  const counts = pairedCounts(scores(fullPrecision, labels), scores(quantized, labels));
  const { difference, interval, pValue } = pairedDifference(counts, confidence);
  const [first, second] = [counts.both + counts.onlyFirst, counts.both + counts.onlySecond];
  const samples = labels.length;
  return {
    fullPrecision: first / samples,
    fullPrecisionInterval: wilsonInterval(first, samples, confidence),
    quantized: second / samples,
    quantizedInterval: wilsonInterval(second, samples, confidence),
    drop: difference,
    dropInterval: interval,
    pValue,
  };
}

function byClass(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  labels: ArrayLike<number>,
): ClassComparison[] {
  const classes = new Map<number, { samples: number; fullPrecision: number; quantized: number }>();
  for (let sample = 0; sample < labels.length; sample++) {
    const label = labels[sample] as number;
    const sums = classes.get(label) ?? { samples: 0, fullPrecision: 0, quantized: 0 };
    sums.samples += 1;
    if (fullPrecision[sample] === label) sums.fullPrecision += 1;
    if (quantized[sample] === label) sums.quantized += 1;
    classes.set(label, sums);
  }
  return [...classes].sort(([a], [b]) => a - b).map(([label, sums]) => ({ label, ...sums }));
}

export const classification: Task = {
  name: 'classification',
  unit: 'sample',
  measures: { labelled: 'accuracy', unlabelled: 'agreement' },
  answers,
  read,
  scores,
  good,
  percent: (classes, expected) => (100 * good(classes, expected)) / classes.length,
  support,
  difference: (first, second, confidence) => pairedDifference(pairedCounts(first, second), confidence),
  compare,
};
