// Confidence of a share: the normal distribution and Wilson's interval.
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
