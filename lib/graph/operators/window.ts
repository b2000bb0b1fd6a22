// Sliding windows, shared by Conv, MaxPool and AveragePool. One to three spatial dimensions; the loops use three.
import { reshape } from '../../autograd/ops/movement.js';
import type { PoolWindow } from '../../autograd/ops/pool2d.js';
import type { Tape, Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
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

export interface WindowAttributes {
  readonly auto_pad: string;
  readonly dilations?: readonly number[] | undefined;
  readonly kernel_shape?: readonly number[] | undefined;
  readonly pads?: readonly number[] | undefined;
  readonly strides?: readonly number[] | undefined;
  readonly ceil_mode?: number;
}

/** One spatial axis: window element k of output o reads input o·stride − padBegin + k·dilation. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
}

type Fail = (what: string) => never;
const MAX_SPATIAL = 3;

function perAxis(values: readonly number[] | undefined, rank: number, what: string, least: number, fail: Fail) {
  if (values === undefined) return new Array<number>(rank).fill(1);
  if (values.length !== rank || !values.every((value) => value >= least)) {
    fail(`expected ${rank} ${what} of at least ${least}, received [${values}]`);
  }
  return values;
}

function outputSize(attributes: WindowAttributes, axis: Omit<WindowAxis, 'output'>): number {
  const { input, kernel, stride, dilation, padBegin, padEnd } = axis;
  const span = input + padBegin + padEnd - (kernel - 1) * dilation - 1;
  if (span < 0) return 0;
  if (!attributes.ceil_mode) return Math.floor(span / stride) + 1;
  const size = Math.ceil(span / stride) + 1;
  // A last window that would start beyond the input and its left padding is dropped.
  return (size - 1) * stride >= input + padBegin ? size - 1 : size;
}

/** The geometry of each spatial axis of input [N, C, …spatial]; every size a number. */
export function windowAxes(
  attributes: WindowAttributes,
  spatial: readonly number[],
  kernel: readonly number[],
  fail: Fail,
): WindowAxis[] {
  const rank = spatial.length;
  if (rank < 1 || rank > MAX_SPATIAL) fail(`expected 1 to ${MAX_SPATIAL} spatial dimensions, received ${rank}`);
  const kernels = perAxis(kernel, rank, 'kernel sizes', 1, fail);
  const strides = perAxis(attributes.strides, rank, 'strides', 1, fail);
  const dilations = perAxis(attributes.dilations, rank, 'dilations', 1, fail);
  const pads = attributes.pads ?? new Array<number>(2 * rank).fill(0);
  if (pads.length !== 2 * rank || !pads.every((pad) => pad >= 0)) {
    fail(`expected ${2 * rank} pads of at least 0, received [${pads}]`);
  }
  const automatic = attributes.auto_pad;
  if (!['NOTSET', '', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(automatic)) fail(`auto_pad "${automatic}"`);
  return spatial.map((input, index) => {
    const axis = {
      input,
      kernel: kernels[index] as number,
      stride: strides[index] as number,
      dilation: dilations[index] as number,
    };
    if (automatic.startsWith('SAME')) {
      const output = Math.ceil(input / axis.stride);
      const total = Math.max(0, (output - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - input);
      const small = Math.floor(total / 2);
      const padBegin = automatic === 'SAME_UPPER' ? small : total - small;
      return { ...axis, padBegin, padEnd: total - padBegin, output };
    }
    const valid = automatic === 'VALID';
    const padBegin = valid ? 0 : (pads[index] as number);
    const padEnd = valid ? 0 : (pads[index + rank] as number);
    return { ...axis, padBegin, padEnd, output: outputSize(attributes, { ...axis, padBegin, padEnd }) };
  });
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
  const one: WindowAxis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };
  const axes = windowAxes(attributes, spatial, kernel, fail);
  return [...new Array<WindowAxis>(MAX_SPATIAL - axes.length).fill(one), ...axes] as [
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

/** A window over all of an image. */
export function wholeWindow([, , height = 1, width = 1]: readonly number[]): PoolWindow {
  const one = [1, 1] as const;
  return { kernel: [height, width], strides: one, pads: [0, 0, 0, 0], dilations: one, output: one };
}

const FLAT: WindowAxis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };

/** The two axes of a window over images or over lengths; undefined for three spatial dimensions. */
export function imageAxes(
  attributes: WindowAttributes,
  spatial: readonly number[],
  kernel: readonly number[],
  fail: Fail,
): [WindowAxis, WindowAxis] | undefined {
  const axes = windowAxes(attributes, spatial, kernel, fail);
  if (axes.length > 2) return undefined;
  return axes.length === 2 ? (axes as [WindowAxis, WindowAxis]) : [FLAT, axes[0] as WindowAxis];
}

/** The window of a pool over images or lengths [N, C, …]; undefined for three spatial dimensions. */
export function poolWindow(
  attributes: WindowAttributes & { readonly kernel_shape?: readonly number[] | undefined },
  dims: readonly number[],
  fail: Fail,
): PoolWindow | undefined {
  const axes = imageAxes(attributes, dims.slice(2), attributes.kernel_shape ?? [], fail);
  if (!axes) return undefined;
  const [h, w] = axes;
  return {
    kernel: [h.kernel, w.kernel],
    strides: [h.stride, w.stride],
    pads: [h.padBegin, w.padBegin, h.padEnd, w.padEnd],
    dilations: [h.dilation, w.dilation],
    output: [h.output, w.output],
  };
}

/** A pool on the tape over images or lengths; undefined for three spatial dimensions. */
export function floatPool(
  call: FloatCall<typeof POOL_ATTRIBUTES>,
  compute: (image: Value, window: PoolWindow) => Value,
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
