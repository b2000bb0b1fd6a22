// Granularity: which elements of a tensor share a scale and a zero point.
import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';

/**
 * Frozen data, compared by content (`sameGranularity`). For a tensor of shape [8, 3, 32, 64]:
 *
 *   perTensor         scale shape []                one range for everything
 *   perSample         scale shape [8]               one for each index of the first axis
 *   perToken          scale shape [8, 3, 32]        one for each run along the last axis
 *   perChannel(1)     scale shape [3]               one for each index of an axis (−1 is the last)
 *   perGroup(16)      scale shape [8, 3, 32, 4]     one for each 16 neighbours along the last axis; the last group is
 *                                                   shorter when 16 does not divide it
 */
export type Granularity =
  | { readonly kind: 'perTensor' }
  | { readonly kind: 'perSample' }
  | { readonly kind: 'perToken' }
  | { readonly kind: 'perChannel'; readonly axis: number }
  | { readonly kind: 'perGroup'; readonly blockSize: number };

/** One scale for all: [8, 3, 32, 64] → []. */
export const perTensor: Granularity = Object.freeze({ kind: 'perTensor' });

/** A scale for each index of the first axis: [8, 3, 32, 64] → [8]. */
export const perSample: Granularity = Object.freeze({ kind: 'perSample' });

/** A scale for each run along the last axis: [8, 3, 32, 64] → [8, 3, 32]. */
export const perToken: Granularity = Object.freeze({ kind: 'perToken' });

/** A scale for each index of an axis: perChannel(1), [8, 3, 32, 64] → [3]. */
export function perChannel(axis: number): Granularity {
  return Object.freeze({ kind: 'perChannel', axis });
}

/** Of weights in the order of the kernels, [output channels, …]. */
export const perOutputChannel = perChannel(0);

/** A scale for each block of values along the last axis: perGroup(16), [8, 3, 32, 64] → [8, 3, 32, 4]. */
export function perGroup(blockSize: number): Granularity {
  requireInteger('perGroup', 'blockSize', blockSize, 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({ kind: 'perGroup', blockSize });
}

/** `perTensor`, `perSample`, `perToken`, `perChannel(1)`, `perGroup(16)`: for messages. */
export function formatGranularity(granularity: Granularity): string {
  if (granularity.kind === 'perChannel') return `perChannel(${granularity.axis})`;
  if (granularity.kind === 'perGroup') return `perGroup(${granularity.blockSize})`;
  return granularity.kind;
}

export function sameGranularity(a: Granularity, b: Granularity): boolean {
  return formatGranularity(a) === formatGranularity(b);
}

/** `axis` counted from the front; throws InvalidArgumentError when the shape has no such axis. */
export function requireAxis(operation: string, axis: number, rank: number): number {
  requireInteger(operation, 'axis', axis, -rank, rank - 1);
  return axis < 0 ? axis + rank : axis;
}

/** The shape of the scales of a tensor. Throws InvalidArgumentError when its shape has no such axis. */
export function scaleShape(operation: string, shape: readonly number[], granularity: Granularity): number[] {
  const rank = shape.length;
  if (granularity?.kind === 'perTensor') return [];
  if (rank === 0) throw new InvalidArgumentError(operation, 'granularity', 'perTensor for a scalar', granularity?.kind);
  const runs = shape.slice(0, -1);
  const last = shape[rank - 1] as number;
  switch (granularity?.kind) {
    case 'perSample':
      return shape.slice(0, 1);
    case 'perToken':
      return runs;
    case 'perChannel':
      return [shape[requireAxis(operation, granularity.axis, rank)] as number];
    case 'perGroup':
      requireInteger(operation, 'blockSize', granularity.blockSize, 1, Number.MAX_SAFE_INTEGER);
      return [...runs, Math.ceil(last / granularity.blockSize)];
    default: {
      const expected = 'perTensor, perSample, perToken, perChannel(axis) or perGroup(blockSize)';
      throw new InvalidArgumentError(operation, 'granularity', expected, describe(granularity));
    }
  }
}
