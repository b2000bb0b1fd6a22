// Sliding windows, shared by Conv, MaxPool and AveragePool. One to three spatial dimensions; the loops use three.
import { reshape } from '../../autograd/ops/movement.js';
import type { Tape, Value } from '../../autograd/tape.js';
import { equalDims, sizeOf } from '../../core/shape.js';
import {
  type AxisAttributes,
  axesOf,
  type ImageWindow,
  ONE,
  type WindowAxis,
  windowOver,
} from '../../native/geometry.js';
import type { DType } from '../../tensor/dtype.js';
import { type Dim, formatShape, mapDim } from '../dims.js';
import { type FloatCall, int, ints, required, type ShapeCall, string } from '../operator.js';

export const WINDOW_ATTRIBUTES = {
  auto_pad: string('NOTSET'),
  dilations: ints(),
  kernel_shape: ints(),
  pads: ints(),
  strides: ints(),
};

export const POOL_ATTRIBUTES = { ...WINDOW_ATTRIBUTES, ceil_mode: int(0) };

export interface WindowAttributes extends Partial<AxisAttributes> {
  readonly auto_pad: string;
  readonly kernel_shape?: readonly number[] | undefined;
}

type Fail = (what: string) => never;
const MAX_SPATIAL = 3;

/** The geometry of each spatial axis of input [N, C, …spatial]; every size a number. */
export function windowAxes(
  attributes: WindowAttributes,
  spatial: readonly number[],
  kernel: readonly number[],
  fail: Fail,
): WindowAxis[] {
  const rank = spatial.length;
  if (rank < 1 || rank > MAX_SPATIAL) fail(`expected 1 to ${MAX_SPATIAL} spatial dimensions, received ${rank}`);
  return axesOf(attributes, spatial, kernel, (argument, expected, received) =>
    fail(`${argument}: expected ${expected}, received ${received}`),
  );
}

/** Output sizes of the spatial dimensions; unknown where the input's are. Refuses windows larger than their input. */
export function windowOutputDims(
  attributes: WindowAttributes,
  spatial: readonly Dim[],
  kernel: readonly number[],
  fail: Fail,
): Dim[] {
  const axes = windowAxes(
    attributes,
    spatial.map((dim) => (typeof dim === 'number' ? dim : Number.MAX_SAFE_INTEGER)),
    kernel,
    fail,
  );
  return spatial.map((dim, index) => {
    const output = mapDim(dim, () => (axes[index] as WindowAxis).output);
    if (output === 0 && dim !== 0) fail(`a window of [${kernel}] does not fit the input ${formatShape(spatial)}`);
    return output;
  });
}

/** The axes of a window on concrete shapes, as three: [depth, height, width], of size one where there are fewer. */
export function threeAxes(
  attributes: WindowAttributes,
  spatial: readonly number[],
  kernel: readonly number[],
  fail: Fail,
): [WindowAxis, WindowAxis, WindowAxis] {
  const axes = windowAxes(attributes, spatial, kernel, fail);
  return [...new Array<WindowAxis>(MAX_SPATIAL - axes.length).fill(ONE), ...axes] as [
    WindowAxis,
    WindowAxis,
    WindowAxis,
  ];
}

/** Range of outputs o whose window element k lies inside the input: 0 ≤ o·stride − padBegin + k·dilation < input. */
export function outputsInside(axis: WindowAxis, k: number): [number, number] {
  const shift = axis.padBegin - k * axis.dilation;
  const first = Math.max(0, Math.ceil(shift / axis.stride));
  const end = Math.min(axis.output, Math.ceil((axis.input + shift) / axis.stride));
  return [first, end];
}

/** Range of window elements k of output o that lie inside the input. */
export function elementsInside(axis: WindowAxis, o: number): [number, number] {
  const start = o * axis.stride - axis.padBegin;
  const first = Math.max(0, Math.ceil(-start / axis.dilation));
  const end = Math.min(axis.kernel, Math.ceil((axis.input - start) / axis.dilation));
  return [first, Math.max(first, end)];
}

/** The shape rule of a pool; kernel_shape is required. */
export function poolShape(call: ShapeCall<typeof POOL_ATTRIBUTES>): { dtype: DType; dims: Dim[] } {
  const { kernel_shape: kernel } = call.attributes;
  const input = call.inputs[0];
  if (!input || !kernel) return call.fail('expected attribute kernel_shape, received none');
  if (input.dims.length < 3) call.fail(`expected an input of rank 3 to 5, received ${formatShape(input.dims)}`);
  const spatial = windowOutputDims(call.attributes, input.dims.slice(2), kernel, call.fail);
  return { dtype: input.dtype, dims: [...input.dims.slice(0, 2), ...spatial] };
}

/**
 * [N, C, …spatial] as an image, [N, C, H, W]: nothing and lengths as images of height one; of more dimensions all but the
 * last as one, which whole windows alone may read so.
 */
export function asImage(tape: Tape, x: Value): Value {
  if (x.dims.length === 4) return x;
  const [n = 1, channels = 1, ...spatial] = x.dims;
  const width = spatial.at(-1) ?? 1;
  const height = sizeOf(spatial.slice(0, -1));
  return reshape(tape, x, [n, channels, height, width]);
}

/** An image in the shape that a value of other spatial dimensions has; see asImage. */
export function fromImage(tape: Tape, y: Value, dims: readonly number[]): Value {
  return dims.length === 4 ? y : reshape(tape, y, dims);
}

let whole: ImageWindow | undefined;

/** A window over all of an image. */
export function wholeWindow([, , height = 1, width = 1]: readonly number[]): ImageWindow {
  if (whole?.kernel[0] === height && whole.kernel[1] === width) return whole;
  const one = [1, 1] as const;
  whole = { kernel: [height, width], strides: one, pads: [0, 0, 0, 0], dilations: one, output: one };
  return whole;
}

// Runs repeat: the attributes of each node keep the window of the sizes that they met last.
const lastWindow = new WeakMap<
  object,
  { spatial: readonly number[]; kernel: readonly number[]; window: ImageWindow }
>();

/** The window over images or lengths [N, C, …]; undefined for three spatial dimensions. */
export function imageWindow(
  attributes: WindowAttributes,
  dims: readonly number[],
  kernel: readonly number[],
  fail: Fail,
): ImageWindow | undefined {
  const last = lastWindow.get(attributes);
  const rank = dims.length - 2;
  if (last && last.spatial.length === rank && equalDims(last.kernel, kernel)) {
    let axis = 0;
    while (axis < rank && last.spatial[axis] === dims[axis + 2]) axis += 1;
    if (axis === rank) return last.window;
  }
  const spatial = dims.slice(2);
  const axes = windowAxes(attributes, spatial, kernel, fail);
  if (axes.length > 2) return undefined;
  const window = windowOver(...((axes.length === 2 ? axes : [ONE, ...axes]) as [WindowAxis, WindowAxis]));
  lastWindow.set(attributes, { spatial, kernel, window });
  return window;
}

/** The window of a pool; see imageWindow. */
export function poolWindow(attributes: WindowAttributes, dims: readonly number[], fail: Fail): ImageWindow | undefined {
  return imageWindow(attributes, dims, attributes.kernel_shape ?? [], fail);
}

/** A pool on the tape over images or lengths; undefined for three spatial dimensions. */
export function floatPool(
  call: FloatCall<typeof POOL_ATTRIBUTES>,
  compute: (image: Value, window: ImageWindow) => Value,
): Value | undefined {
  const x = required(call.inputs, 0);
  const window = poolWindow(call.attributes, x.dims, call.fail);
  if (!window) return undefined;
  return fromImage(call.tape, compute(asImage(call.tape, x), window), call.dims);
}

/** Kernel, stride and groups of a window in a word: "3x3/2 g16"; nothing where there is no kernel. */
export function windowDetail(
  kernel: readonly number[] | undefined,
  strides: readonly number[] = [],
  group = 1,
): string {
  if (!kernel) return '';
  const stride = strides.every((each) => each === 1) ? '' : `/${[...new Set(strides)].join('x')}`;
  return `${kernel.join('x')}${stride}${group > 1 ? ` g${group}` : ''}`;
}
