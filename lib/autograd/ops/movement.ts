// Operations that move elements: reshape, transpose, concat, slice, pad, expand, look-up by index; sums and means over
// axes.

import { sizeOf } from '../../core/shape.js';
import { addon } from '../../native/addon.js';
import { UNARY } from '../../native/codes.js';
import { broadcastStrides, memoryOrder, strides, walk } from '../strides.js';
import type { Tape, Value } from '../tape.js';
import { sumToShape } from './binary.js';
import { toRows } from './layout.js';

/** The same elements, row-major, in another shape. */
export function reshape(tape: Tape, x: Value, dims: readonly number[]): Value {
  return tape.alias(toRows(tape, x), dims, 'rows');
}

/** Output axis i is input axis permutation[i]. */
export function transpose(tape: Tape, x: Value, permutation: readonly number[]): Value {
  const dims = permutation.map((axis) => x.dims[axis] as number);
  const from = strides(x.dims, x.layout);
  const xStrides = permutation.map((axis) => from[axis] as number);
  const yStrides = strides(dims, 'rows');
  const y = tape.make(dims, 'rows', [x]);
  const [axes, xs, ys] = [walk(dims, xStrides, yStrides), x.data, y.data];
  tape.compute(() => addon.copyStrided(axes, xs, 0, ys, 0, false));
  tape.record(y, [], (dy) =>
    tape.into(x, (dx) => addon.copyStrided(walk(dims, yStrides, xStrides), dy, 0, dx, 0, false)),
  );
  return y;
}

export function concat(tape: Tape, inputs: readonly Value[], axis: number): Value {
  const first = inputs[0] as Value;
  const dims = first.dims.map((size, i) =>
    i === axis ? inputs.reduce((sum, x) => sum + (x.dims[i] as number), 0) : size,
  );
  const layout = inputs.some((x) => x.layout === 'channelsLast') ? 'channelsLast' : 'rows';
  const y = tape.make(dims, layout, inputs);
  const to = strides(dims, layout);
  let start = 0;
  const parts = inputs.map((x) => {
    const order = (items: readonly number[]) => memoryOrder(items, layout);
    const [sizes, xStrides, yStrides] = [order(x.dims), order(strides(x.dims, x.layout)), order(to)];
    const offset = start * (to[axis] as number);
    start += x.dims[axis] as number;
    return { x, xs: x.data, offset, axes: walk(sizes, xStrides, yStrides), back: walk(sizes, yStrides, xStrides) };
  });
  const ys = y.data;
  tape.compute(() => {
    for (const { xs, offset, axes } of parts) addon.copyStrided(axes, xs, 0, ys, offset, false);
  });
  tape.record(y, [], (dy) => {
    for (const { x, offset, back } of parts) {
      tape.into(x, (dx) => addon.copyStrided(back, dy, offset, dx, 0, false));
    }
  });
  return y;
}

/**
 * Picks along an axis: output index i reads input index places[i], or is `fill` where that is −1. Padding of every mode
 * is this, one axis at a time.
 */
export function pick(tape: Tape, input: Value, axis: number, places: readonly number[], fill: number): Value {
  const x = toRows(tape, input);
  const dims = x.dims.map((size, i) => (i === axis ? places.length : size));
  const outer = sizeOf(x.dims.slice(0, axis));
  const inner = sizeOf(x.dims.slice(axis + 1));
  const size = x.dims[axis] as number;
  const y = tape.make(dims, 'rows', [x]);
  const runs = runsOf(places);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => {
    ys.fill(fill);
    for (const { at, from, count } of runs) {
      const axes = walk([outer, count * inner], [size * inner, 1], [places.length * inner, 1]);
      addon.copyStrided(axes, xs, from * inner, ys, at * inner, false);
    }
  });
  tape.record(y, [], (dy) =>
    tape.into(x, (dx) => {
      dx.fill(0);
      for (const { at, from, count } of runs) {
        const axes = walk([outer, count * inner], [places.length * inner, 1], [size * inner, 1]);
        addon.copyStrided(axes, dy, at * inner, dx, from * inner, true);
      }
    }),
  );
  return y;
}

/** Runs of neighbours: places at, at + 1, … read from, from + 1, …. */
function runsOf(places: readonly number[]): { at: number; from: number; count: number }[] {
  const runs: { at: number; from: number; count: number }[] = [];
  places.forEach((from, at) => {
    if (from < 0) return;
    const last = runs.at(-1);
    if (last && last.at + last.count === at && last.from + last.count === from) last.count += 1;
    else runs.push({ at, from, count: 1 });
  });
  return runs;
}

/** x read as a larger shape that it broadcasts to. */
export function expand(tape: Tape, x: Value, dims: readonly number[]): Value {
  if (sizeOf(dims) === x.size) return reshape(tape, x, dims);
  const y = tape.make(dims, 'rows', [x]);
  const axes = walk(dims, broadcastStrides(x.dims, x.layout, dims), strides(dims, 'rows'));
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.copyStrided(axes, xs, 0, ys, 0, false));
  tape.record(y, [], (dy) => tape.into(x, (dx) => sumToShape(dy, dims, 'rows', x, dx)));
  return y;
}

/** Mean over axes; with `keep` they remain with size one. */
export function reduceMean(tape: Tape, x: Value, axes: readonly number[], keep: boolean): Value {
  const count = axes.reduce((product, axis) => product * (x.dims[axis] as number), 1);
  return reduceScaled(tape, x, axes, keep, 1 / count);
}

/** Sum over axes; with `keep` they remain with size one. */
export function reduceSum(tape: Tape, x: Value, axes: readonly number[], keep: boolean): Value {
  return reduceScaled(tape, x, axes, keep, 1);
}

function reduceScaled(tape: Tape, x: Value, axes: readonly number[], keep: boolean, factor: number): Value {
  const kept = x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const dims = keep ? kept : x.dims.filter((_, axis) => !axes.includes(axis));
  const y = tape.make(dims, 'rows', [x]);
  const order = (items: readonly number[]) => memoryOrder(items, x.layout);
  const inOrder = order(strides(x.dims, x.layout));
  const reduced = order(broadcastStrides(kept, 'rows', x.dims));
  const [steps, xs, ys] = [walk(order(x.dims), reduced, inOrder), x.data, y.data];
  tape.compute(() => addon.reduceSum(steps, factor, xs, ys));
  tape.record(y, [], (dy) =>
    tape.into(x, (dx) => {
      addon.copyStrided(steps, dy, 0, dx, 0, false);
      if (factor !== 1) addon.unary(UNARY.scale, factor, 0, dx, dx);
    }),
  );
  return y;
}

/** dims[axis] elements along each axis, from starts[axis] on by steps[axis]; backwards where that is negative. */
export function slice(
  tape: Tape,
  input: Value,
  starts: readonly number[],
  steps: readonly number[],
  dims: readonly number[],
): Value {
  let x = input;
  const first = [...starts];
  const step = [...steps];
  step.forEach((by, axis) => {
    if (by > 0) return;
    const places = Array.from({ length: dims[axis] as number }, (_, i) => (first[axis] as number) + i * by);
    x = pick(tape, x, axis, places, 0);
    [first[axis], step[axis]] = [0, 1];
  });
  const { layout } = x;
  const from = strides(x.dims, layout);
  const offset = first.reduce((sum, at, axis) => sum + at * (from[axis] as number), 0);
  const order = (items: readonly number[]) => memoryOrder(items, layout);
  const xStrides = order(from.map((stride, axis) => stride * (step[axis] as number)));
  const yStrides = order(strides(dims, layout));
  const y = tape.make(dims, layout, [x]);
  const [axes, xs, ys] = [walk(order(dims), xStrides, yStrides), x.data, y.data];
  tape.compute(() => addon.copyStrided(axes, xs, offset, ys, 0, false));
  tape.record(y, [], (dy) =>
    tape.into(x, (dx) => {
      dx.fill(0);
      addon.copyStrided(walk(order(dims), yStrides, xStrides), dy, 0, dx, offset, false);
    }),
  );
  return y;
}

/** y[…, i, …] = x[…, index[i], …] along an axis; `shape` replaces that axis. */
export function gather(tape: Tape, input: Value, index: Int32Array, axis: number, shape: readonly number[]): Value {
  const x = toRows(tape, input);
  const outer = sizeOf(x.dims.slice(0, axis));
  const inner = sizeOf(x.dims.slice(axis + 1));
  const size = x.dims[axis] as number;
  const y = tape.make([...x.dims.slice(0, axis), ...shape, ...x.dims.slice(axis + 1)], 'rows', [x]);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.gather(outer, size, inner, index, xs, ys));
  tape.record(y, [], (dy) => tape.into(x, (dx) => addon.gatherBackward(outer, size, inner, index, dy, dx)));
  return y;
}
