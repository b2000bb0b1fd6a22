// The attributes of ONNX convolutions, resolved to the numbers that the native operation takes.
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { geometryNumbers, MAX_DIMENSION, windowOutputs } from './geometry.js';

/** Attributes of ONNX's convolutions. */
export interface ConvAttributes {
  /** Default NOTSET: `pads` is used. */
  readonly auto_pad?: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID';
  /** One for each spatial axis, as kernel_shape and strides. */
  readonly dilations?: readonly number[];
  readonly group?: number;
  readonly kernel_shape?: readonly number[];
  /** The beginnings of all spatial axes, then the ends. */
  readonly pads?: readonly number[];
  readonly strides?: readonly number[];
}

interface ConvGeometry {
  /** GEOMETRY_FIELD up to `groups`. */
  readonly shape: Int32Array;
  /** Of the result. */
  readonly dims: readonly number[];
  /** Output channels. */
  readonly channels: number;
}

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
  readonly out: number;
}

/** Padding as auto_pad has it: SAME_UPPER puts the odd one at the end, SAME_LOWER at the beginning. */
function autoPads(mode: string, size: number, reach: number, stride: number): [number, number] {
  if (mode === 'VALID') return [0, 0];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0);
  const less = Math.floor(total / 2);
  return mode === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
}

export function onnxConvGeometry(
  operation: string,
  xDims: readonly number[],
  wDims: readonly number[],
  attributes: ConvAttributes,
): ConvGeometry {
  const refuse = (argument: string, expected: string, received: string): never => {
    throw new InvalidArgumentError(operation, argument, expected, received);
  };
  const spatial = xDims.length - 2;
  if (spatial !== 1 && spatial !== 2) refuse('x', 'shape [N, C, W] or [N, C, H, W]', `[${xDims}]`);
  if (wDims.length !== xDims.length) refuse('w', `as many dimensions as x [${xDims}]`, `[${wDims}]`);
  const [n, c] = xDims as [number, number];
  const [channels, groupChannels] = wDims as [number, number];
  const group = attributes.group ?? 1;
  requireInteger(operation, 'group', group, 1, MAX_DIMENSION);
  if (groupChannels * group !== c || c === 0) {
    refuse('w', `C / group = ${c / group} input channels (x: [${xDims}], group: ${group})`, `[${wDims}]`);
  }
  if (channels % group !== 0) refuse('w', `a multiple of group = ${group} output channels`, String(channels));

  const list = (name: 'dilations' | 'strides' | 'pads', length: number, missing: number, min: number) => {
    const values = attributes[name] ?? new Array<number>(length).fill(missing);
    if (values.length !== length) refuse(name, `${length} integers`, JSON.stringify(values));
    for (const value of values) requireInteger(operation, name, value, min, MAX_DIMENSION);
    return values;
  };
  const strides = list('strides', spatial, 1, 1);
  const dilations = list('dilations', spatial, 1, 1);
  const pads = list('pads', 2 * spatial, 0, 0);
  const kernel = wDims.slice(2);
  const { auto_pad = 'NOTSET', kernel_shape = kernel } = attributes;
  if (kernel_shape.length !== spatial || kernel_shape.some((size, i) => size !== kernel[i])) {
    refuse('kernel_shape', `[${kernel}], that of w`, `[${kernel_shape}]`);
  }
  if (!['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'].includes(auto_pad)) {
    refuse('auto_pad', 'NOTSET, SAME_UPPER, SAME_LOWER or VALID', auto_pad);
  }

  const axes = kernel.map((kernelSize, i): Axis => {
    const size = xDims[i + 2] as number;
    const stride = strides[i] as number;
    const dilation = dilations[i] as number;
    if (kernelSize === 0) refuse('w', 'a window of at least one element', `[${wDims}]`);
    const reach = (kernelSize - 1) * dilation + 1;
    const [padBegin, padEnd] =
      auto_pad === 'NOTSET'
        ? [pads[i] as number, pads[i + spatial] as number]
        : autoPads(auto_pad, size, reach, stride);
    const out = windowOutputs(size, kernelSize, stride, dilation, padBegin + padEnd);
    if (out === 0) {
      refuse('x', `at least ${reach} padded elements, the reach of the window`, String(size + padBegin + padEnd));
    }
    return { size, kernel: kernelSize, stride, dilation, padBegin, padEnd, out };
  });
  const dims = [n, channels, ...axes.map((axis) => axis.out)];
  // One spatial axis runs down a column: output rows are what the native operation shares out.
  const column: Axis = { size: 1, kernel: 1, stride: 1, dilation: 1, padBegin: 0, padEnd: 0, out: 1 };
  const [h, w] = [axes[0] as Axis, axes[1] ?? column];
  const numbers = geometryNumbers({
    image: [n, h.size, w.size, c],
    strides: [h.stride, w.stride],
    dilations: [h.dilation, w.dilation],
    pads: [h.padBegin, w.padBegin, h.padEnd, w.padEnd],
    kernel: [h.kernel, w.kernel],
    outChannels: channels,
    groups: group,
  });
  for (const value of numbers) requireInteger(operation, 'x, w and attributes', value, 0, MAX_DIMENSION);
  return { shape: Int32Array.from(numbers), dims, channels };
}
