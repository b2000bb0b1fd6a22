// How well one figure orders another: rank correlation and area under the ROC curve, with intervals.
import { InvalidArgumentError } from '../core/errors.js';
import { DEFAULT_CONFIDENCE, type Interval, normalHalfWidth } from './shares.js';
import { mean, variance } from './summary.js';

/** Ranks from 1, equal values sharing the mean of theirs. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end += 1;
    for (let i = start; i < end; i++) result[order[i] as number] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

/** A value with its interval. */
export interface Estimate {
  readonly value: number;
  readonly interval: Interval;
}

/**
 * Spearman's rank correlation, ties at the mean rank; interval by Fisher's z with Bonett and Wright's variance (2000).
 * NaN where either side is constant; the interval needs four samples. Throws InvalidArgumentError on NaN and on
 * different lengths.
 */
export function spearman(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  confidence: number = DEFAULT_CONFIDENCE,
): Estimate {
  requireSamePairs('spearman', x, y);
  const count = x.length;
  const [a, b] = [ranks(x), ranks(y)];
  const middle = (count + 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [da, db] = [(a[i] as number) - middle, (b[i] as number) - middle];
    product += da * db;
    squareA += da * da;
    squareB += db * db;
  }
  const value = squareA === 0 || squareB === 0 ? Number.NaN : product / Math.sqrt(squareA * squareB);
  if (count < 4 || Number.isNaN(value)) return { value, interval: [-1, 1] };
  const half = normalHalfWidth(confidence) * Math.sqrt((1 + (value * value) / 2) / (count - 3));
  const z = Math.atanh(value);
  return { value, interval: [Math.tanh(z - half), Math.tanh(z + half)] };
}

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting half; interval by DeLong's
 * variance (1988). NaN when one class is empty. Throws InvalidArgumentError on NaN and on different lengths.
 */
export function auroc(
  scores: ArrayLike<number>,
  positive: ArrayLike<boolean | number>,
  confidence: number = DEFAULT_CONFIDENCE,
): Estimate {
  requireSamePairs('auroc', scores, Array.from(positive, Number));
  const [positives, negatives]: [number[], number[]] = [[], []];
  for (let i = 0; i < scores.length; i++) (positive[i] ? positives : negatives).push(scores[i] as number);
  const [m, n] = [positives.length, negatives.length];
  if (m === 0 || n === 0) return { value: Number.NaN, interval: [0, 1] };
  const all = ranks([...positives, ...negatives]);
  const [within, other] = [ranks(positives), ranks(negatives)];
  // Placement of each sample among the other class: its rank among all less that within its class.
  const above = positives.map((_, i) => ((all[i] as number) - (within[i] as number)) / n);
  const below = negatives.map((_, i) => 1 - ((all[m + i] as number) - (other[i] as number)) / m);
  const value = mean(above);
  const half = normalHalfWidth(confidence) * Math.sqrt(variance(above) / m + variance(below) / n);
  return { value, interval: [Math.max(0, value - half), Math.min(1, value + half)] };
}

function requireSamePairs(operation: string, x: ArrayLike<number>, y: ArrayLike<number>): void {
  if (x.length !== y.length) {
    throw new InvalidArgumentError(operation, 'y', `${x.length} values`, String(y.length));
  }
  for (const values of [x, y]) {
    const at = Array.prototype.findIndex.call(values, Number.isNaN);
    if (at >= 0) throw new InvalidArgumentError(operation, 'values', 'numbers', `NaN at ${at}`);
  }
}
