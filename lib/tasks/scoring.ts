// How scores of samples are compared: shares of good ones where they are 0 or 1, means where they lie between.
import { InvalidArgumentError } from '../core/errors.js';
import { type PairedDifference, pairedCounts, pairedDifference } from '../statistics/paired.js';
import { DEFAULT_CONFIDENCE, type Interval, normalCdf, normalHalfWidth, wilsonInterval } from '../statistics/shares.js';
import { mean, variance } from '../statistics/summary.js';
import { type SampleScores, type Task, total } from './task.js';

type Scoring = Pick<Task, 'interval' | 'difference'>;

/** Of scores that are 0 or 1: Wilson's interval, Newcombe's interval of the difference and McNemar's exact test. */
export const shares: Scoring = {
  interval: (scores, confidence) => wilsonInterval(total(scores), scores.length, confidence),
  difference: (first, second, confidence) => pairedDifference(pairedCounts(first, second), confidence),
};

/** Mean and its standard error s/√n, s² with n − 1; 0 where there is one value. */
function estimate(values: readonly number[]): { readonly value: number; readonly error: number } {
  return { value: mean(values), error: values.length > 1 ? Math.sqrt(variance(values) / values.length) : 0 };
}

function around(value: number, half: number, least: number): Interval {
  return [Math.max(least, value - half), Math.min(1, value + half)];
}

/**
 * Of scores from 0 to 1: x̄ ± z·s/√n, the same of the samples' differences, and the probability 2Φ(−|d̄|·√n/s) of a mean
 * difference as large by chance.
 */
export const graded: Scoring = {
  interval(scores, confidence = DEFAULT_CONFIDENCE) {
    const { value, error } = estimate([...scores]);
    return around(value, normalHalfWidth(confidence) * error, 0);
  },
  difference(first: SampleScores, second: SampleScores, confidence = DEFAULT_CONFIDENCE): PairedDifference {
    if (first.length !== second.length) {
      throw new InvalidArgumentError('difference', 'second', `${first.length} scores`, String(second.length));
    }
    const { value, error } = estimate(Array.from(first, (score, i) => score - (second[i] as number)));
    const pValue = value === 0 ? 1 : error === 0 ? 0 : 2 * normalCdf(-Math.abs(value) / error);
    return { difference: value, interval: around(value, normalHalfWidth(confidence) * error, -1), pValue };
  },
};
