// Mean, spread and quantiles of a few values. Sums run in order, so that figures keep every bit: simple-statistics
// compensates its sums, and its quantiles are of another type.
import { describe, InvalidArgumentError } from '../core/errors.js';

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
