// Right operands of the ONNX integer operators, packed once for many calls.

import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { addon, type NativeIntegerOperand } from './addon.js';
import { columnValues, matrixShape } from './onnx_matmul_plan.js';
import { type ByteTensor, type OnnxTensor, requireTensor, requireZeroPoint } from './onnx_tensor.js';

export const BYTES = ['uint8', 'int8'] as const;

/**
 * B with its zero points (packB), or the w of a convolution with its (packW), in native memory. It replaces
 * the tensor in any number of calls. Freed by the garbage collector, or at once by `dispose()`.
 */
export class PackedOperand {
  /** @internal */
  readonly handle: NativeIntegerOperand;

  /** @internal Use packB or packW. */
  constructor(
    handle: NativeIntegerOperand,
    readonly kind: 'matrices' | 'convolution',
    readonly dtype: 'uint8' | 'int8',
    readonly dims: readonly number[],
    /** Of a convolution; 1 for matrices. */
    readonly group: number,
  ) {
    this.handle = handle;
  }

  /** Native memory held, in bytes; 0 after `dispose()`. */
  get bytes(): number {
    return this.handle.bytes();
  }

  /** Frees the native memory; any later use throws. */
  dispose(): void {
    this.handle.dispose();
  }
}

export function int32s(values: ArrayLike<number> | undefined): Int32Array | undefined {
  return values === undefined ? undefined : Int32Array.from(values);
}

/** A parameter of output channels: a scalar or [OC]. */
export function perChannelValues(
  operation: string,
  argument: string,
  tensor: OnnxTensor,
  channels: number,
): ArrayLike<number> {
  const { dims, data } = tensor;
  if (data.length === 1 || (dims.length === 1 && dims[0] === channels)) return data;
  throw new InvalidArgumentError(operation, argument, `a scalar or shape [${channels}]`, `[${dims}]`);
}

/** @internal */
export function packMatrices(operation: string, B: ByteTensor, zeroPoint: ByteTensor | undefined): PackedOperand {
  requireZeroPoint(operation, 'b_zero_point', zeroPoint, B);
  if (B.dims.length === 0) throw new InvalidArgumentError(operation, 'B', 'at least one dimension', 'a scalar');
  const shape = matrixShape(B.dims, 'column');
  if (shape.rows === 0) throw new InvalidArgumentError(operation, 'B', 'K of at least 1', `[${B.dims}]`);
  const zero = zeroPoint && columnValues(operation, 'b_zero_point', zeroPoint, shape);
  const numbers = Int32Array.of(sizeOf(shape.batch), shape.rows, shape.columns);
  const handle = new addon.IntegerOperand(B.data, int32s(zero), numbers);
  return new PackedOperand(handle, 'matrices', B.dtype, B.dims, 1);
}

/** Packs the B of matMulInteger and qLinearMatMul with b_zero_point: scalar, [N], or [..., 1, N]. */
export function packB(inputs: {
  readonly B: ByteTensor;
  readonly b_zero_point?: ByteTensor | undefined;
}): PackedOperand {
  requireTensor('packB', 'B', inputs.B, BYTES);
  return packMatrices('packB', inputs.B, inputs.b_zero_point);
}

/** @internal */
export function packConvolution(
  operation: string,
  w: ByteTensor,
  zeroPoint: ByteTensor | undefined,
  group: number,
): PackedOperand {
  requireZeroPoint(operation, 'w_zero_point', zeroPoint, w);
  const [channels, groupC, ...kernel] = w.dims as [number, number, ...number[]];
  const [kernelH = 1, kernelW = 1] = kernel;
  const zero = zeroPoint && perChannelValues(operation, 'w_zero_point', zeroPoint, channels);
  const numbers = Int32Array.of(channels, groupC, kernelH, kernelW, group);
  const handle = new addon.IntegerOperand(w.data, int32s(zero), numbers);
  return new PackedOperand(handle, 'convolution', w.dtype, w.dims, group);
}

/** Packs the w of convInteger and qLinearConv with w_zero_point: scalar or [OC]. */
export function packW(
  inputs: { readonly w: ByteTensor; readonly w_zero_point?: ByteTensor | undefined },
  attributes: { readonly group?: number } = {},
): PackedOperand {
  const { w, w_zero_point } = inputs;
  const { group = 1 } = attributes;
  requireTensor('packW', 'w', w, BYTES);
  requireInteger('packW', 'group', group, 1, 2 ** 31 - 1);
  if (w.dims.length < 3 || w.dims.length > 4 || sizeOf(w.dims) === 0) {
    throw new InvalidArgumentError('packW', 'w', 'shape [OC, C / group, KW] or [OC, C / group, KH, KW]', `[${w.dims}]`);
  }
  return packConvolution('packW', w, w_zero_point, group);
}

/**
 * Calls use() with the packed form of an operand: the one supplied, or one packed for this call. A packed one
 * includes its zero points.
 *
 * @internal
 */
export function withPacked<T>(
  operation: string,
  argument: 'B' | 'b' | 'w',
  operand: ByteTensor | PackedOperand,
  kind: PackedOperand['kind'],
  zeroPoint: ByteTensor | undefined,
  pack: (tensor: ByteTensor) => PackedOperand,
  use: (packed: PackedOperand) => T,
): T {
  if (operand instanceof PackedOperand) {
    if (operand.kind !== kind) throw new InvalidArgumentError(operation, argument, `packed ${kind}`, operand.kind);
    if (zeroPoint !== undefined) {
      const name = `${argument.toLowerCase()}_zero_point`;
      throw new InvalidArgumentError(operation, name, 'none with a packed operand, which includes it', 'one');
    }
    return use(operand);
  }
  const packed = pack(operand);
  try {
    return use(packed);
  } finally {
    packed.dispose();
  }
}
