// A part of the samples with what full precision answers to it.

import type { Outcome } from '../../tasks/task.js';
import type { Samples } from '../samples.js';

/** Samples, what full precision answers, and what counts as right. */
export interface Part {
  readonly samples: Samples;
  readonly fp: Outcome;
  /** Class of each sample that counts as right. */
  readonly expected: Int32Array;
}
