// Cross-entropy of softmax against labels, its value and its gradient in one native pass.
import { addon } from '../../native/addon.js';
import { CROSS_ENTROPY_RESULT } from '../../native/codes.js';
import type { Tape, Value } from '../tape.js';

/** Of the last computation; replaying a trace updates it. */
export interface CrossEntropyResult {
  /** Mean over the rows. */
  readonly loss: number;
  /** Rows whose largest logit is the label's. */
  readonly correct: number;
  /** Of the loss with respect to the logits: memory of the step. Undefined unless requested. */
  readonly gradient: Float32Array | undefined;
}

/** logits: [rows, classes], labels: [rows]. The target is (1 − smoothing) · one-hot + smoothing / classes. */
export function crossEntropy(
  tape: Tape,
  logits: Value,
  labels: Int32Array,
  options: { readonly smoothing?: number; readonly gradient?: boolean } = {},
): CrossEntropyResult {
  const [rows = 0, classes = 0] = logits.dims;
  const gradient = options.gradient ? tape.scratch(logits.size) : undefined;
  const { smoothing = 0 } = options;
  const result = new Float64Array(Object.keys(CROSS_ENTROPY_RESULT).length);
  tape.compute(() => addon.crossEntropy(rows, classes, logits.data, labels, smoothing, result, gradient));
  return {
    get loss() {
      return result[CROSS_ENTROPY_RESULT.loss] as number;
    },
    get correct() {
      return result[CROSS_ENTROPY_RESULT.correct] as number;
    },
    gradient,
  };
}
