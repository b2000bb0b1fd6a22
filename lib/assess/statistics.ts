// How sure a figure is: intervals of shares and of paired differences, rank correlation, area under the ROC curve.
import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';

/** Two ends, lower first. */
export type Interval = readonly [number, number];

export const DEFAULT_CONFIDENCE = 0.95;

/** Φ(x) by Marsaglia's series (2004), Φ = ½ + φ(x)(x + x³/3 + x⁵/(3·5) + …): to double precision for |x| < 7. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-18 * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** z such that a normal variable lies within ±z with this probability: 1.96 for .95. By bisection. */
export function normalHalfWidth(confidence: number): number {
  requireConfidence('normalHalfWidth', confidence);
  const quantile = (1 + confidence) / 2;
  let [low, high] = [0, 8];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < quantile) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function requireConfidence(operation: string, confidence: number): void {
  if (confidence > 0 && confidence < 1) return;
  throw new InvalidArgumentError(operation, 'confidence', 'a number between 0 and 1', describe(confidence));
}

/**
 * Wilson's score interval (1927) of a share: successes of trials, as shares 0–1. Sound at 0 and at 1, where the plain
 * normal interval has no width. Throws InvalidArgumentError.
 */
export function wilsonInterval(successes: number, trials: number, confidence = DEFAULT_CONFIDENCE): Interval {
  requireInteger('wilsonInterval', 'trials', trials, 1, Number.MAX_SAFE_INTEGER);
  requireInteger('wilsonInterval', 'successes', successes, 0, trials);
  const z = normalHalfWidth(confidence);
  const share = successes / trials;
  const stretch = 1 + (z * z) / trials;
  const center = (share + (z * z) / (2 * trials)) / stretch;
  const half = (z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))) / stretch;
  return [successes === 0 ? 0 : center - half, successes === trials ? 1 : center + half];
}

/** Two classifiers on the same samples: how many both, one or neither of them got right. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

/** Counts from what each classifier got right, sample by sample. Throws InvalidArgumentError on different lengths. */
export function pairedCounts(first: ArrayLike<boolean | number>, second: ArrayLike<boolean | number>): PairedCounts {
  if (first.length !== second.length) {
    throw new InvalidArgumentError('pairedCounts', 'second', `${first.length} samples`, String(second.length));
  }
  const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for (let i = 0; i < first.length; i++) {
    if (first[i]) counts[second[i] ? 'both' : 'onlyFirst'] += 1;
    else counts[second[i] ? 'onlySecond' : 'neither'] += 1;
  }
  return counts;
}

export interface PairedDifference {
  /** Share right of the first minus that of the second. */
  readonly difference: number;
  readonly interval: Interval;
  /** That they err alike, McNemar's exact test. */
  readonly pValue: number;
}

/**
 * The difference of two shares measured on the same samples, with Newcombe's score interval (Statistics in Medicine 17,
 * 1998, method 10): Wilson's intervals of both, joined through their correlation. Throws InvalidArgumentError.
 */
export function pairedDifference(counts: PairedCounts, confidence = DEFAULT_CONFIDENCE): PairedDifference {
  const { both, onlyFirst, onlySecond, neither } = counts;
  const trials = both + onlyFirst + onlySecond + neither;
  const [first, second] = [both + onlyFirst, both + onlySecond];
  const [low1, high1] = wilsonInterval(first, trials, confidence);
  const [low2, high2] = wilsonInterval(second, trials, confidence);
  const [share1, share2] = [first / trials, second / trials];
  const margins = Math.sqrt(first * (trials - first) * second * (trials - second));
  let product = both * neither - onlyFirst * onlySecond;
  if (product > 0) product = Math.max(0, product - trials / 2);
  const correlation = margins === 0 ? 0 : product / margins;
  const joined = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * correlation * a * b + b * b));
  const difference = share1 - share2;
  return {
    difference,
    interval: [
      Math.max(-1, difference - joined(share1 - low1, high2 - share2)),
      Math.min(1, difference + joined(high1 - share1, share2 - low2)),
    ],
    pValue: mcnemar(onlyFirst, onlySecond),
  };
}

/** McNemar's exact two-sided test: how likely so uneven a split of the disagreements is by chance, 0–1. */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const trials = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  requireInteger('mcnemar', 'counts', fewer, 0, Number.MAX_SAFE_INTEGER);
  requireInteger('mcnemar', 'counts', trials, 0, Number.MAX_SAFE_INTEGER);
  // In logarithms: 2^-trials underflows beyond a thousand disagreements.
  let [log, tail] = [-trials * Math.LN2, 0];
  for (let i = 0; i <= fewer; i++) {
    tail += Math.exp(log);
    log += Math.log((trials - i) / (i + 1));
  }
  return Math.min(1, 2 * tail);
}

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
 * Spearman's rank correlation, ties at their mean rank; interval by Fisher's z with Bonett and Wright's variance (2000).
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
  const [own, other] = [ranks(positives), ranks(negatives)];
  // Placement of each sample among the other class: its rank among all less that among its own.
  const above = positives.map((_, i) => ((all[i] as number) - (own[i] as number)) / n);
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

/** NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample (÷ (n − 1)); 0 of a single value. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

export function standardDeviation(values: readonly number[]): number {
  return Math.sqrt(variance(values));
}

/** The value below which this share of the values lies, linear between neighbours (R's type 7). NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new InvalidArgumentError('quantile', 'share', '0–1', describe(share));
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return sorted.length === 0 ? Number.NaN : low + (high - low) * (at - Math.floor(at));
}
