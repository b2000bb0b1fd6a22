// The geometry of convolutions and pools: lengths of outputs, and the numbers that native operations read.
import { GEOMETRY_FIELD } from './codes.js';

/** Sizes, strides and pads are int32. */
export const MAX_DIMENSION = 2 ** 31 - 1;

/** Outputs along one axis; 0 when the window does not fit. `pads`: both ends together. */
export function windowOutputs(size: number, kernel: number, stride: number, dilation: number, pads: number): number {
  const free = size + pads - (dilation * (kernel - 1) + 1);
  return free < 0 ? 0 : Math.floor(free / stride) + 1;
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

/** An axis that an image does not have. */
export const ONE: WindowAxis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0 };

/** ONNX's attributes of a window: one number for each spatial axis; pads are the beginnings, then the ends. */
export interface AxisAttributes {
  readonly auto_pad: string;
  readonly dilations: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly strides: readonly number[] | undefined;
  /** A last window that reaches over the end counts, as pools may have it. */
  readonly ceil_mode: number;
}

type Refuse = (argument: string, expected: string, received: string) => never;

function outputsOf(axis: Omit<WindowAxis, 'output'>, ceil: boolean): number {
  const { input, kernel, stride, dilation, padBegin, padEnd } = axis;
  const size = windowOutputs(input, kernel, stride, dilation, padBegin + padEnd + (ceil ? stride - 1 : 0));
  // A last window that would start beyond the input and its left padding is dropped.
  return ceil && (size - 1) * stride >= input + padBegin ? size - 1 : size;
}

/** The axes of a window over an input of these sizes; of 0 outputs where it does not fit. */
export function axesOf(
  attributes: Partial<AxisAttributes>,
  spatial: readonly number[],
  kernel: readonly number[],
  refuse: Refuse,
): WindowAxis[] {
  const rank = spatial.length;
  const list = (name: string, values: readonly number[] | undefined, length: number, least: number) => {
    if (values === undefined) return new Array<number>(length).fill(least);
    const fits = (value: number) => Number.isInteger(value) && value >= least && value <= MAX_DIMENSION;
    if (values.length === length && values.every(fits)) return values;
    return refuse(name, `${length} integers from ${least} to ${MAX_DIMENSION}`, `[${values}]`);
  };
  const kernels = list('kernel_shape', kernel, rank, 1);
  const strides = list('strides', attributes.strides, rank, 1);
  const dilations = list('dilations', attributes.dilations, rank, 1);
  const pads = list('pads', attributes.pads, 2 * rank, 0);
  const automatic = attributes.auto_pad || 'NOTSET';
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(automatic)) {
    refuse('auto_pad', 'NOTSET, SAME_UPPER, SAME_LOWER or VALID', automatic);
  }
  /** SAME has ceil(input / stride) outputs, and puts an odd pad at the end or, as SAME_LOWER, at the beginning. */
  const padsOf = (index: number, input: number, reach: number, stride: number): readonly [number, number] => {
    if (automatic === 'NOTSET') return [pads[index] as number, pads[index + rank] as number];
    if (automatic === 'VALID') return [0, 0];
    const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + reach - input);
    const small = Math.floor(total / 2);
    return automatic === 'SAME_UPPER' ? [small, total - small] : [total - small, small];
  };
  return spatial.map((input, index) => {
    const [size, stride, dilation] = [kernels[index], strides[index], dilations[index]] as [number, number, number];
    const [padBegin, padEnd] = padsOf(index, input, (size - 1) * dilation + 1, stride);
    const axis = { input, kernel: size, stride, dilation, padBegin, padEnd };
    return { ...axis, output: outputsOf(axis, Boolean(attributes.ceil_mode) && !automatic.startsWith('SAME')) };
  });
}

/** The window of two axes, vertical and horizontal. */
export function windowOver(h: WindowAxis, w: WindowAxis): ImageWindow {
  return {
    kernel: [h.kernel, w.kernel],
    strides: [h.stride, w.stride],
    dilations: [h.dilation, w.dilation],
    pads: [h.padBegin, w.padBegin, h.padEnd, w.padEnd],
    output: [h.output, w.output],
  };
}

type Pair = readonly [vertical: number, horizontal: number];

/** How a window moves over images. */
export interface ImageWindow {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  /** Rows and columns of the result. */
  readonly output: Pair;
}

/** A convolution of images, or a pool, which is one with as many groups and output channels as channels. */
interface Geometry extends Omit<ImageWindow, 'output'> {
  readonly image: readonly [n: number, h: number, w: number, c: number];
  readonly outChannels: number;
  readonly groups: number;
  /** A pool's, which may be rounded up; a convolution's is computed. */
  readonly output?: Pair | undefined;
}

/** The numbers in the order of GEOMETRY_FIELD, to `groups` or, with `output`, to the end. */
export function geometryNumbers(g: Geometry): number[] {
  const numbers: number[] = [];
  const set = (first: number, values: readonly number[]) => {
    for (let i = 0; i < values.length; i++) numbers[first + i] = values[i] as number;
  };
  set(GEOMETRY_FIELD.n, g.image);
  set(GEOMETRY_FIELD.strideH, g.strides);
  set(GEOMETRY_FIELD.dilationH, g.dilations);
  set(GEOMETRY_FIELD.padTop, g.pads);
  set(GEOMETRY_FIELD.kernelH, g.kernel);
  set(GEOMETRY_FIELD.outChannels, [g.outChannels, g.groups]);
  if (g.output) set(GEOMETRY_FIELD.outH, g.output);
  return numbers;
}
