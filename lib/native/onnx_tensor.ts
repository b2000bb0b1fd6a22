// Tensors as the ONNX integer operators take them, and their shared checks.

import { describe, InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';

/** The typed array behind each element type; 4-bit codes have a byte each. */
interface OnnxArrays {
  float32: Float32Array;
  int32: Int32Array;
  uint8: Uint8Array;
  int8: Int8Array;
  uint16: Uint16Array;
  int16: Int16Array;
  uint4: Uint8Array;
  int4: Int8Array;
}

/** Element types of the tensors that the ONNX operators take. */
export type OnnxType = keyof OnnxArrays;

/** A tensor with its shape: row-major, [] is a scalar. */
export interface OnnxTensor<Type extends OnnxType = OnnxType> {
  readonly dtype: Type;
  readonly dims: readonly number[];
  readonly data: OnnxArrays[Type];
}

/** A tensor of codes. */
export type ByteTensor = OnnxTensor<'uint8'> | OnnxTensor<'int8'>;

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint4: Uint8Array,
  int4: Int8Array,
} as const;

/** A tensor with its shape; zeros without data. */
export function onnxTensor<Type extends OnnxType>(
  dtype: Type,
  dims: readonly number[],
  data: OnnxArrays[Type] = new ARRAYS[dtype](sizeOf(dims)) as OnnxArrays[Type],
): OnnxTensor<Type> {
  return { dtype, dims, data };
}

/** Throws unless `tensor` has one of these types, the array that belongs to it, and as many elements as its shape. */
export function requireTensor(
  operation: string,
  argument: string,
  tensor: OnnxTensor | undefined,
  dtypes: readonly OnnxType[],
): void {
  const refuse = (expected: string, received: string): never => {
    throw new InvalidArgumentError(operation, argument, expected, received);
  };
  if (typeof tensor !== 'object' || tensor === null) refuse(`a tensor of ${dtypes.join(' or ')}`, describe(tensor));
  const { dtype, dims, data } = tensor as OnnxTensor;
  if (!dtypes.includes(dtype)) refuse(`a tensor of ${dtypes.join(' or ')}`, String(dtype));
  if (!(data instanceof ARRAYS[dtype])) refuse(`${ARRAYS[dtype].name} for ${dtype}`, describe(data));
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    refuse('dims of integers ≥ 0', JSON.stringify(dims));
  }
  if (data.length !== sizeOf(dims)) refuse(`${sizeOf(dims)} elements for shape [${dims}]`, String(data.length));
}

/** Throws unless a zero point has the type of what it belongs to. */
export function requireZeroPoint(
  operation: string,
  argument: string,
  zeroPoint: OnnxTensor | undefined,
  codes: OnnxTensor,
): void {
  if (zeroPoint !== undefined) requireTensor(operation, argument, zeroPoint, [codes.dtype]);
}

/** The one value of a scalar, or of a tensor with one element. */
export function requireScalar(operation: string, argument: string, tensor: OnnxTensor): number {
  if (tensor.data.length !== 1) {
    throw new InvalidArgumentError(operation, argument, 'a scalar', `shape [${tensor.dims}]`);
  }
  return tensor.data[0] as number;
}
