// The attributes of ONNX convolutions, resolved to the numbers that the native operation takes.
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { axesOf, geometryNumbers, MAX_DIMENSION, ONE, type WindowAxis, windowOver } from './geometry.js';

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

  const kernel = wDims.slice(2);
  const { kernel_shape = kernel } = attributes;
  if (kernel_shape.length !== spatial || kernel_shape.some((size, i) => size !== kernel[i])) {
    refuse('kernel_shape', `[${kernel}], that of w`, `[${kernel_shape}]`);
  }
  if (kernel.includes(0)) refuse('w', 'a window of at least one element', `[${wDims}]`);
  const axes = axesOf(attributes, xDims.slice(2), kernel, refuse);
  for (const { input, output, kernel: size, dilation, padBegin, padEnd } of axes) {
    if (output > 0) continue;
    const reach = (size - 1) * dilation + 1;
    refuse('x', `at least ${reach} padded elements, the reach of the window`, String(input + padBegin + padEnd));
  }
  const dims = [n, channels, ...axes.map(({ output }) => output)];
  // One spatial axis runs down a column: output rows are what the native operation shares out.
  const [h, w = ONE] = axes as [WindowAxis, WindowAxis?];
  const image = [n, h.input, w.input, c] as const;
  const numbers = geometryNumbers({
    ...windowOver(h, w),
    output: undefined,
    image,
    outChannels: channels,
    groups: group,
  });
  for (const value of numbers) requireInteger(operation, 'x, w and attributes', value, 0, MAX_DIMENSION);
  return { shape: Int32Array.from(numbers), dims, channels };
}
