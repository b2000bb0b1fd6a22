// Walks for the native elementwise operations: dimensions with the strides of two operands, adjacent dimensions merged
// where both operands allow it.
import { stridesOf } from '../core/shape.js';
import type { Layout } from './tape.js';

/** Element strides of a tensor in the order of its shape. */
export function strides(dims: readonly number[], layout: Layout): number[] {
  if (layout === 'channelsLast') {
    const [, channels = 1, height = 1, width = 1] = dims;
    return [channels * height * width, 1, width * channels, channels];
  }
  return stridesOf(dims);
}

/** Strides with which a tensor is read as if it had the shape `to`: 0 where it broadcasts. */
export function broadcastStrides(dims: readonly number[], layout: Layout, to: readonly number[]): number[] {
  const from = strides(dims, layout);
  const lead = to.length - dims.length;
  return to.map((_, axis) => (axis < lead || dims[axis - lead] === 1 ? 0 : (from[axis - lead] as number)));
}

/** The order in which a tensor's axes lie in memory. */
export function memoryOrder<Item>(items: readonly Item[], layout: Layout): Item[] {
  if (layout === 'rows') return [...items];
  const [n, c, h, w] = items as readonly [Item, Item, Item, Item];
  return [n, h, w, c];
}

/** [rank, dims…, first…, second…], axes of size one left out and mergeable neighbours merged. */
export function walk(dims: readonly number[], first: readonly number[], second: readonly number[]): Int32Array {
  const axes: { size: number; first: number; second: number }[] = [];
  dims.forEach((size, axis) => {
    if (size === 1) return;
    const next = { size, first: first[axis] as number, second: second[axis] as number };
    const last = axes.at(-1);
    if (last && last.first === next.first * size && last.second === next.second * size) {
      axes[axes.length - 1] = { ...next, size: last.size * size };
    } else axes.push(next);
  });
  return Int32Array.from([
    axes.length,
    ...axes.map((axis) => axis.size),
    ...axes.map((axis) => axis.first),
    ...axes.map((axis) => axis.second),
  ]);
}
