// Convolution with what follows it in networks: y = clip?(x ∗ w + b (+ residual)). Forward and backward by oneDNN.
import { addon } from '../../native/addon.js';
import { CONV_METHOD } from '../../native/codes.js';
import type { NativeConvolution } from '../../native/float_addon.js';
import { geometryNumbers, type ImageWindow, windowOutputs } from '../../native/geometry.js';
import type { Buffer32 } from '../../tensor/memory.js';
import { type ConvMethod, REPEATS, type Tape, type Value } from '../tape.js';
import { binary } from './binary.js';
import { toChannelsLast, toRows } from './layout.js';
import { reshape } from './movement.js';
import { clipGradient } from './unary.js';

/** The window of a convolution, whose kernel and output its operands say. */
export type ConvWindow = Omit<ImageWindow, 'kernel' | 'output'> & { readonly groups: number };

/** Bounds of the result: a ReLU is [0, ∞]. */
type Bounds = readonly [number, number];
export const RELU: Bounds = [0, Number.POSITIVE_INFINITY];
const UNBOUNDED: Bounds = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Distinct batch sizes: training, evaluation, and the last batch of each. */
const MOST_KERNELS = 8;

/** The native convolutions of one node, by geometry. Each has a reordered copy of the node's weights. */
export class ConvKernels {
  private readonly kernels = new Map<string, NativeConvolution>();
  /** Cached, because batches repeat their geometry. */
  private last: { geometry: readonly number[]; method: ConvMethod; kernel: NativeConvolution } | undefined;

  for(geometry: readonly number[], method: ConvMethod): NativeConvolution {
    const { last } = this;
    if (last && last.method === method && last.geometry.every((field, i) => field === geometry[i])) return last.kernel;
    const kernel = this.make(geometry, method);
    this.last = { geometry, method, kernel };
    return kernel;
  }

  private make(geometry: readonly number[], method: ConvMethod): NativeConvolution {
    const key = `${geometry.join()} ${method}`;
    let kernel = this.kernels.get(key);
    if (kernel) return kernel;
    kernel = new addon.Convolution(Int32Array.from(geometry), CONV_METHOD[method]);
    if (this.kernels.size >= MOST_KERNELS) this.kernels.delete(this.kernels.keys().next().value as string);
    this.kernels.set(key, kernel);
    return kernel;
  }
}

/** What follows a convolution. */
interface ConvFollowed {
  readonly bounds?: Bounds | undefined;
  /** Of the result's shape, added before the bounds. */
  readonly residual?: Value | undefined;
  /** The residual is not read afterwards and may be overwritten. */
  readonly residualEnds?: boolean;
}

/** x: [N, C, H, W], w: [M, C/groups, kernelH, kernelW], b: [M] → [N, M, OH, OW], channels-last. */
export function conv2d(
  tape: Tape,
  kernels: ConvKernels,
  input: Value,
  w: Value,
  b: Value | undefined,
  window: ConvWindow,
  followed: ConvFollowed = {},
): Value {
  const { bounds = UNBOUNDED } = followed;
  const x = toChannelsLast(tape, input);
  const residual = followed.residual && toChannelsLast(tape, followed.residual);
  const [n = 0, channels = 0, height = 0, width = 0] = x.dims;
  const [outChannels = 0, , kernelH = 0, kernelW = 0] = w.dims;
  const { strides, pads, dilations, groups } = window;
  const image = [n, height, width, channels] as const;
  const geometry = geometryNumbers({
    image,
    strides,
    dilations,
    pads,
    kernel: [kernelH, kernelW],
    outChannels,
    groups,
  });
  const kernel = kernels.for(geometry, tape.convolutions);
  const outHeight = windowOutputs(height, kernelH, strides[0], dilations[0], pads[0] + pads[2]);
  const outWidth = windowOutputs(width, kernelW, strides[1], dilations[1], pads[1] + pads[3]);
  const dims = [n, outChannels, outHeight, outWidth];
  const inPlace = followed.residualEnds && residual !== x ? residual : undefined;
  const y =
    (inPlace && tape.replace(inPlace, dims, 'channelsLast')) ?? tape.make(dims, 'channelsLast', [x, w, b, residual]);
  const [xs, ws, ys] = [x.data, w.data, y.data];
  const [bs, added] = [b?.data, residual?.data];
  const [low, high] = bounds;
  tape.compute(() => kernel.forward(xs, ws, w.version, bs, added, low, high, ys));
  const bounded = bounds !== UNBOUNDED;
  const backward = (dy: Float32Array, gradient: Buffer32) => {
    const masked = bounded ? clipGradient(tape, bounds, ys, dy) : undefined;
    const g = masked?.array ?? dy;
    const forWeights = w.needsGradient || (b?.needsGradient ?? false);
    if (forWeights) {
      const bias = b?.needsGradient ? tape.scratch(outChannels) : undefined;
      const run = (dw: Float32Array) => kernel.backwardWeights(xs, g, dw, bias);
      if (w.needsGradient) tape.into(w, run);
      else {
        const unused = tape.scratch(w.size);
        tape.compute(() => run(unused));
      }
      if (b && bias) tape.into(b, (db) => db.set(bias));
    }
    tape.into(x, (dx) => kernel.backwardData(g, ws, w.version, forWeights, dx));
    if (residual) tape.give(residual, masked ?? gradient);
    if (masked) tape.memory.release(masked);
  };
  tape.record(y, bounded ? [x, w, y] : [x, w], backward, REPEATS);
  return y;
}

/**
 * The transpose of a convolution: x: [N, C, H, W], w: [C, M/groups, kernelH, kernelW], b: [M] → [N, M, …output],
 * channels-last. `window` is that of the convolution from the output's size to the input's, whose backward this is.
 */
export function convTranspose2d(
  tape: Tape,
  kernels: ConvKernels,
  input: Value,
  weight: Value,
  b: Value | undefined,
  window: ConvWindow,
  output: readonly [number, number],
): Value {
  const x = toChannelsLast(tape, input);
  const w = toRows(tape, weight);
  const [n = 0, channels = 0] = x.dims;
  const [, groupOut = 0, kernelH = 0, kernelW = 0] = w.dims;
  const { strides, pads, dilations, groups } = window;
  const outChannels = groupOut * groups;
  const image = [n, ...output, outChannels] as const;
  const kernelSize = [kernelH, kernelW] as const;
  const sizes = { image, strides, dilations, pads, kernel: kernelSize, outChannels: channels, groups };
  const geometry = geometryNumbers(sizes);
  const kernel = kernels.for(geometry, tape.convolutions);
  const y = tape.make([n, outChannels, ...output], 'channelsLast', [x, w]);
  const [xs, ws, ys, version] = [x.data, w.data, y.data, w.version];
  tape.compute(() => kernel.backwardData(xs, ws, version, false, ys));
  tape.record(y, [x, w], (dy) => {
    tape.into(w, (dw) => kernel.backwardWeights(dy, xs, dw, undefined));
    tape.into(x, (dx) => kernel.forward(dy, ws, version, undefined, undefined, ...UNBOUNDED, dx));
  });
  return b ? binary(tape, 'add', y, reshape(tape, b, [outChannels, 1, 1])) : y;
}
