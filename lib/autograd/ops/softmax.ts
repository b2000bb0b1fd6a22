// Softmax over the last axis of row-major memory.
import { addon } from '../../native/addon.js';
import type { Tape, Value } from '../tape.js';

/** x: […, n] */
export function softmax(tape: Tape, x: Value): Value {
  const n = x.dims.at(-1) ?? 1;
  const rows = x.size / n;
  const y = tape.make(x.dims, 'rows', [x]);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.softmax(rows, n, xs, ys));
  tape.record(y, [y], (dy) => tape.into(x, (dx) => addon.softmaxBackward(rows, n, ys, dy, dx)));
  return y;
}
