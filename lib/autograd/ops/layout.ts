// Conversion between layouts; the gradient is converted back.
import { addon } from '../../native/addon.js';
import { memoryOrder, strides, walk } from '../strides.js';
import { type Layout, REPEATS, type Tape, type Value } from '../tape.js';

/** Whether elements lie in the same order in either layout. */
export function samePlanes(dims: readonly number[]): boolean {
  const [, channels = 1, height = 1, width = 1] = dims;
  return channels === 1 || height * width === 1;
}

/** How a copy between layouts of the same shape walks. */
export function layoutWalk(dims: readonly number[], from: Layout, to: Layout): Int32Array {
  const order = (items: readonly number[]) => memoryOrder(items, to);
  return walk(order(dims), order(strides(dims, from)), order(strides(dims, to)));
}

function relayout(tape: Tape, x: Value, to: Layout): Value {
  if (x.layout === to) return x;
  const { dims, layout } = x;
  if (samePlanes(dims)) return tape.alias(x, dims, to); // the same order in memory
  const y = tape.make(dims, to, [x]);
  const [axes, xs, ys] = [layoutWalk(dims, layout, to), x.data, y.data];
  tape.compute(() => addon.copyStrided(axes, xs, 0, ys, 0, false));
  const back = layoutWalk(dims, to, layout);
  tape.record(y, [], (dy) => tape.into(x, (dx) => addon.copyStrided(back, dy, 0, dx, 0, false)), REPEATS);
  return y;
}

/** x: [N, C, H, W] with memory [N, H, W, C]. */
export function toChannelsLast(tape: Tape, x: Value): Value {
  return relayout(tape, x, 'channelsLast');
}

/** x with row-major memory. */
export function toRows(tape: Tape, x: Value): Value {
  return relayout(tape, x, 'rows');
}
