// The tensor of ONNX files and of the reference interpreter: an array in row-major order with its shape.
import { describe, InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { allocate, type DType, type DTypeArrays, holds, type TensorData } from './dtype.js';

/** Treated as immutable once made: graphs and interpreters share the arrays. */
export interface HostTensor<Type extends DType = DType> {
  readonly dtype: Type;
  readonly dims: readonly number[];
  /** Row-major, one element each; see DType for the arrays. */
  readonly data: DTypeArrays[Type];
}

/** Dimensions that a tensor may have. Real ones have six; a hostile file's million would cost a million steps a node. */
export const MAX_RANK = 64;

/** Checks that `data` fits `dtype` and `dims`; throws InvalidArgumentError. */
export function hostTensor<Type extends DType>(
  dtype: Type,
  dims: readonly number[],
  data: DTypeArrays[Type],
): HostTensor<Type> {
  if (dims.length > MAX_RANK || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new InvalidArgumentError('hostTensor', 'dims', `at most ${MAX_RANK} integers ≥ 0`, describe(String(dims)));
  }
  if (!holds(dtype, data)) throw new InvalidArgumentError('hostTensor', 'data', `an array of ${dtype}`, describe(data));
  if (data.length !== sizeOf(dims)) {
    const expected = `${sizeOf(dims)} elements for shape ${formatDims(dims)}`;
    throw new InvalidArgumentError('hostTensor', 'data', expected, String((data as TensorData).length));
  }
  return { dtype, dims: [...dims], data };
}

export function zeros<Type extends DType>(dtype: Type, dims: readonly number[]): HostTensor<Type> {
  return { dtype, dims: [...dims], data: allocate(dtype, sizeOf(dims)) };
}

/** A float32 tensor from anything that yields numbers. */
export function floats(dims: readonly number[], values: ArrayLike<number>): HostTensor<'float32'> {
  return hostTensor('float32', dims, values instanceof Float32Array ? values : Float32Array.from(values));
}

/** An int64 tensor, one-dimensional unless `dims` says otherwise: shapes, axes, pads. */
export function integers(values: readonly number[], dims: readonly number[] = [values.length]): HostTensor<'int64'> {
  return hostTensor('int64', dims, BigInt64Array.from(values, BigInt));
}

/** `[2,3,4]`; symbolic and unknown dimensions by name. */
export function formatDims(dims: readonly (number | string)[]): string {
  return `[${dims.join(',')}]`;
}
