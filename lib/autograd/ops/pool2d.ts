// Pooling over windows of images, channels-last: the largest value or the mean.
import { addon } from '../../native/addon.js';
import { geometryNumbers } from '../../native/geometry.js';
import { REPEATS, type Tape, type Value } from '../tape.js';
import { toChannelsLast } from './layout.js';

export interface PoolWindow {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
  /** Output height and width (they depend on ceil_mode). */
  readonly output: readonly [number, number];
}

/** What native pools read of their images and windows. */
export function geometryOf(x: Value, window: PoolWindow): Int32Array {
  const [n = 0, channels = 0, height = 0, width = 0] = x.dims;
  const image = [n, height, width, channels] as const;
  return new Int32Array(geometryNumbers({ ...window, image, outChannels: channels, groups: channels }));
}

export function maxPool2d(tape: Tape, input: Value, window: PoolWindow): Value {
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
export function averagePool2d(tape: Tape, input: Value, window: PoolWindow, countPadding: boolean): Value {
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
