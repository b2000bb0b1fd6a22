// A part of the samples with what full precision answers to it.

import type { Answers } from '../../tasks/task.js';
import type { Samples } from '../samples.js';
import type { PolicyAnswers } from './measurer.js';

/** Samples, what full precision answers, and what counts as right. */
export interface Part {
  readonly samples: Samples;
  readonly fp: PolicyAnswers;
  /** The answer to each sample that counts as right. */
  readonly expected: Answers;
}
