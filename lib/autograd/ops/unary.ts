// Functions of one array, by the names of UNARY: relu, clip, sigmoid, …, and scale, factor · x + offset.
import { addon } from '../../native/addon.js';
import { UNARY } from '../../native/codes.js';
import type { Buffer32 } from '../../tensor/memory.js';
import { REPEATS, type Tape, type Value } from '../tape.js';

/** p, q: clip's bounds, hardSigmoid's alpha and beta, scale's factor and offset, leakyRelu's and elu's alpha. */
export function unary(tape: Tape, name: keyof typeof UNARY, x: Value, p = 0, q = 0): Value {
  const code = UNARY[name];
  const y = tape.make(x.dims, x.layout, [x]);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.unary(code, p, q, xs, ys));
  // relu's slope follows from y, which the next operation keeps
  const backward = (dy: Float32Array) =>
    tape.into(x, (dx) => addon.unaryBackward(code, p, q, name === 'relu' ? ys : xs, ys, dy, dx));
  tape.record(y, name === 'relu' ? [y] : [x, y], backward, REPEATS);
  return y;
}

/** dy where y = relu(·) > 0, else 0: memory of the step, for the caller to release. */
export function reluGradient(tape: Tape, y: Float32Array, dy: Float32Array): Buffer32 {
  const masked = tape.memory.take(y.length);
  tape.compute(() => addon.unaryBackward(UNARY.relu, 0, 0, y, y, dy, masked.array));
  return masked;
}

/** dy where y = clip(·) lies inside its bounds, else 0: memory of the step, for the caller to release. */
export function clipGradient(
  tape: Tape,
  [low, high]: readonly [number, number],
  y: Float32Array,
  dy: Float32Array,
): Buffer32 {
  const masked = tape.memory.take(y.length);
  tape.compute(() => addon.unaryBackward(UNARY.clip, low, high, y, y, dy, masked.array));
  return masked;
}
