// Two classifiers on the same samples: the difference of their shares, its interval (Newcombe) and its test (McNemar).
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { DEFAULT_CONFIDENCE, type Interval, wilsonInterval } from './shares.js';

/** Samples that both, one or neither of two classifiers got right. */
interface PairedCounts {
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
  /** Of equal error, by McNemar's exact test. */
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
