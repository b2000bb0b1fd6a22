// The class that logits say: the first of the largest.
import { InvalidArgumentError } from '../core/errors.js';

/** Place of the largest of `count` values from `start` on, counted from there; the first of equals. */
export function indexOfLargest(values: ArrayLike<number>, start: number, count: number): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best - start;
}

/** The class of each sample. `logits`: [samples, classes]. Throws InvalidArgumentError when they are no whole rows. */
export function predictedClasses(logits: Float32Array, classes: number): Int32Array {
  const samples = logits.length / classes;
  if (!Number.isInteger(samples)) {
    throw new InvalidArgumentError('predictedClasses', 'logits', `rows of ${classes}`, `${logits.length} numbers`);
  }
  return Int32Array.from({ length: samples }, (_, sample) => indexOfLargest(logits, sample * classes, classes));
}
