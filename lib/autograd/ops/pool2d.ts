// Pooling over windows of images, channels-last: the largest value or the mean.
import { equalDims } from '../../core/shape.js';
import { addon } from '../../native/addon.js';
import { geometryNumbers, type ImageWindow } from '../../native/geometry.js';
import { REPEATS, type Tape, type Value } from '../tape.js';
import { toChannelsLast } from './layout.js';

// Runs repeat: each window keeps the numbers of the images that it met last.
const lastGeometry = new WeakMap<ImageWindow, { readonly dims: readonly number[]; readonly numbers: Int32Array }>();

/** What native pools read of their images and windows. */
export function geometryOf({ dims }: Value, window: ImageWindow): Int32Array {
  const last = lastGeometry.get(window);
  if (last && equalDims(last.dims, dims)) return last.numbers;
  const [n = 0, channels = 0, height = 0, width = 0] = dims;
  const image = [n, height, width, channels] as const;
  const numbers = new Int32Array(geometryNumbers({ ...window, image, outChannels: channels, groups: channels }));
  lastGeometry.set(window, { dims, numbers });
  return numbers;
}

export function maxPool2d(tape: Tape, input: Value, window: ImageWindow): Value {
  const x = toChannelsLast(tape, input);
  const geometry = geometryOf(x, window);
  const y = tape.make([x.dims[0] as number, x.dims[1] as number, ...window.output], 'channelsLast', [x]);
  const scratch = tape.scratch(y.size);
  const where = new Int32Array(scratch.buffer, scratch.byteOffset, scratch.length);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.maxPool(geometry, xs, ys, where));
  const backward = (dy: Float32Array) => tape.into(x, (dx) => addon.maxPoolBackward(geometry, where, dy, dx));
  tape.record(y, [], backward, REPEATS);
  return y;
}

/** countPadding: padded places count in the mean. */
export function averagePool2d(tape: Tape, input: Value, window: ImageWindow, countPadding: boolean): Value {
  const x = toChannelsLast(tape, input);
  const geometry = geometryOf(x, window);
  const y = tape.make([x.dims[0] as number, x.dims[1] as number, ...window.output], 'channelsLast', [x]);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.averagePool(geometry, countPadding, xs, ys));
  const backward = (dy: Float32Array) =>
    tape.into(x, (dx) => addon.averagePoolBackward(geometry, countPadding, dy, dx));
  tape.record(y, [], backward, REPEATS);
  return y;
}
