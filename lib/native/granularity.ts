// Granularities as the native addon has them: numbers. The one place that converts them.
import { describe, InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { formatGranularity, type Granularity, requireAxis, scaleShape } from '../format/granularity.js';
import { SCALE_PER_CHANNEL, SCALE_PER_TENSOR } from './codes.js';

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

/** The shape of the scales (and zero points, and bit widths) of a tensor, and the view that finds them. */
export function layOut(
  operation: string,
  shape: readonly number[],
  granularity: Granularity,
): { readonly scaleShape: readonly number[]; readonly view: ParamView } {
  const scales = scaleShape(operation, shape, granularity);
  const last = shape.length - 1;
  const view = (): ParamView => {
    switch (granularity.kind) {
      case 'perTensor':
        return tensorView(sizeOf(shape));
      case 'perSample':
        return axisView(shape, 0);
      case 'perChannel':
        return axisView(shape, requireAxis(operation, granularity.axis, shape.length));
      case 'perToken':
        return blockView(shape, last, Math.max(shape[last] as number, 1));
      case 'perGroup':
        return blockView(shape, last, granularity.blockSize);
    }
  };
  return { scaleShape: scales, view: view() };
}

/** The addon's number for weights [output channels, …]: −1 per tensor, 0 per output channel, else the block size. */
export function weightBlock(operation: string, granularity: Granularity): number {
  if (granularity?.kind === 'perTensor') return SCALE_PER_TENSOR;
  if (granularity?.kind === 'perChannel' && granularity.axis === 0) return SCALE_PER_CHANNEL;
  if (granularity?.kind === 'perGroup') return granularity.blockSize;
  return refuse(operation, 'granularity', 'perChannel(0), perTensor or perGroup(blockSize)', granularity);
}

/** Whether all activations share a range; else each `item` of the operation has its own, which per sample means. */
export function sharesRange(operation: string, granularity: Granularity, item: 'row' | 'sample'): boolean {
  if (granularity?.kind === 'perTensor') return true;
  if (granularity?.kind === 'perSample' || (item === 'row' && granularity?.kind === 'perToken')) return false;
  const expected = item === 'row' ? 'perSample, perToken (a row either way) or perTensor' : 'perSample or perTensor';
  return refuse(operation, 'range of activations', expected, granularity);
}

function refuse(operation: string, argument: string, expected: string, received: Granularity): never {
  const what = received?.kind ? formatGranularity(received) : describe(received);
  throw new InvalidArgumentError(operation, argument, expected, what);
}
