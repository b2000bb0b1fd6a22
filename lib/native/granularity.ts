// Granularity: which elements of a tensor share quantization parameters.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';

/**
 * Frozen data, compared by content. For a tensor of shape [8, 3, 32, 64]:
 *
 *   perTensor             scale shape []                one range for everything
 *   perChannel(1)         scale shape [3]               one for each index of an axis (−1 is the last)
 *   perRow                scale shape [8, 3, 32]        one for each run along the last axis ("per token")
 *   perGroup(16)          scale shape [8, 3, 32, 4]     one for each 16 neighbours along the last axis; the last group
 *                                                       is shorter when 16 does not divide it
 */
export type Granularity =
  | { readonly kind: 'perTensor' }
  | { readonly kind: 'perChannel'; readonly axis: number }
  | { readonly kind: 'perRow' }
  | { readonly kind: 'perGroup'; readonly blockSize: number };

/** One scale for all. */
export const perTensor: Granularity = Object.freeze({ kind: 'perTensor' });

/** A scale for each run along the last axis. */
export const perRow: Granularity = Object.freeze({ kind: 'perRow' });

/** A scale for each index of an axis. */
export function perChannel(axis: number): Granularity {
  return Object.freeze({ kind: 'perChannel', axis });
}

/** A scale for each block of values along the last axis. */
export function perGroup(blockSize: number): Granularity {
  requireInteger('perGroup', 'blockSize', blockSize, 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({ kind: 'perGroup', blockSize });
}

/** The arguments of a native operation that say which elements share parameters: see native/ops/quantize.h. */
export type ParamView = readonly [
  outer: number,
  axis: number,
  inner: number,
  block: number,
  sharedByOuter: boolean,
  perInner: boolean,
];

/** A tensor with one scale for everything. */
export function tensorView(elements: number): ParamView {
  return [1, elements, 1, Math.max(elements, 1), false, false];
}

/** One scale for each index of `axis`. */
export function axisView(shape: readonly number[], axis: number): ParamView {
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const length = shape[axis] as number;
  // Scales that change with every element: seen as the rows of a matrix that share a row of scales.
  if (inner === 1) return [1, outer, length, Math.max(outer, 1), false, true];
  return [outer, length, inner, 1, true, false];
}

/** One scale for each `blockSize` neighbours along `axis`, at each place of the other axes. */
export function blockView(shape: readonly number[], axis: number, blockSize: number): ParamView {
  const inner = sizeOf(shape.slice(axis + 1));
  return [sizeOf(shape.slice(0, axis)), shape[axis] as number, inner, blockSize, false, inner !== 1];
}

/** `axis` counted from the front; throws when the shape has no such axis. */
export function requireAxis(operation: string, axis: number, rank: number): number {
  requireInteger(operation, 'axis', axis, -rank, rank - 1);
  return axis < 0 ? axis + rank : axis;
}

/** The shape of the scales (and zero points, and bit widths) of a tensor, and the view that finds them. */
export function layOut(
  operation: string,
  shape: readonly number[],
  granularity: Granularity,
): { readonly scaleShape: readonly number[]; readonly view: ParamView } {
  const rank = shape.length;
  const last = rank - 1;
  if (granularity.kind === 'perTensor') return { scaleShape: [], view: tensorView(sizeOf(shape)) };
  if (rank === 0) {
    throw new InvalidArgumentError(operation, 'granularity', 'perTensor for a scalar', granularity.kind);
  }
  const length = shape[last] as number;
  switch (granularity.kind) {
    case 'perChannel': {
      const axis = requireAxis(operation, granularity.axis, rank);
      return { scaleShape: [shape[axis] as number], view: axisView(shape, axis) };
    }
    case 'perRow':
      return { scaleShape: shape.slice(0, last), view: blockView(shape, last, Math.max(length, 1)) };
    case 'perGroup': {
      const { blockSize } = granularity;
      requireInteger(operation, 'blockSize', blockSize, 1, Number.MAX_SAFE_INTEGER);
      return {
        scaleShape: [...shape.slice(0, last), Math.ceil(length / blockSize)],
        view: blockView(shape, last, blockSize),
      };
    }
    default:
      throw new InvalidArgumentError(
        operation,
        'granularity',
        'perTensor, perChannel(axis), perRow or perGroup(blockSize)',
        describe(granularity),
      );
  }
}
