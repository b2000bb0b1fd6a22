// Cross-entropy of softmax against labels, its value and its gradient in one native pass.
import { addon } from '../../native/addon.js';
import type { Tape, Value } from '../tape.js';

/** As computed last: a trace that is replayed renews it. */
export interface CrossEntropyResult {
  /** Mean over the rows. */
  readonly loss: number;
  /** Rows whose largest logit is the label's. */
  readonly correct: number;
  /** Of the loss with respect to the logits: memory of the step. Undefined unless asked for. */
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
  const result = new Float64Array(2);
  tape.compute(() => addon.crossEntropy(rows, classes, logits.data, labels, smoothing, result, gradient));
  return {
    get loss() {
      return result[0] as number;
    },
    get correct() {
      return result[1] as number;
    },
    gradient,
  };
}
