// Where elements come from: strides and offsets, for the operators that move or pair elements without a sum.

import { sizeOf, stridesOf } from '../../core/shape.js';
import { allocate, type DType } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';

/**
 * Σ coordinate · stride for every coordinate of `dims`, in row-major order: offsets[2·3] of a transposed [3,2] are those
 * of dims [2,3], strides [1,2].
 */
export function offsetsOf(dims: readonly number[], strides: readonly number[]): Float64Array {
  let offsets = new Float64Array(sizeOf(dims) === 0 ? 0 : 1);
  if (offsets.length === 0) return offsets;
  dims.forEach((size, axis) => {
    const next = new Float64Array(offsets.length * size);
    for (let i = 0; i < offsets.length; i++) {
      for (let k = 0; k < size; k++) next[i * size + k] = (offsets[i] as number) + k * (strides[axis] as number);
    }
    offsets = next;
  });
  return offsets;
}

/** The offset in a tensor of shape `from` for every element of the shape `to` that it broadcasts to. */
export function broadcastOffsets(from: readonly number[], to: readonly number[]): Float64Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return offsetsOf(
    to,
    to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : (strides[axis - lead] as number))),
  );
}

/** output[i] = source[offsets[i]], of any element type; `fill` where the offset is negative. */
export function take(
  source: HostTensor,
  offsets: ArrayLike<number>,
  dims: readonly number[],
  fill?: number | bigint | string,
): HostTensor {
  const from = source.data as ArrayLike<unknown>;
  const data = allocate<DType>(source.dtype, offsets.length) as unknown as unknown[];
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i] as number;
    if (offset >= 0) data[i] = from[offset];
    else if (fill !== undefined) data[i] = fill;
  }
  return { dtype: source.dtype, dims, data } as unknown as HostTensor;
}
