// z = f(x, y) with numpy's broadcasting: add, sub, mul, div, pow, min, max, and relu(x + y) in one pass.

import { sizeOf } from '../../core/shape.js';
import { addon } from '../../native/addon.js';
import { BINARY, UNARY } from '../../native/codes.js';
import type { Buffer32 } from '../../tensor/memory.js';
import { broadcastStrides, memoryOrder, strides, walk } from '../strides.js';
import { type Layout, REPEATS, type Tape, type Value } from '../tape.js';
import { reluGradient } from './unary.js';

type Plain = Pick<Value, 'dims' | 'layout' | 'data'>;

/** The part of a value that stays valid after the tape has released it. */
function plain({ dims, layout, data }: Value): Plain {
  return { dims, layout, data };
}

type Shaped = Pick<Value, 'dims' | 'layout'>;

/** How native binary functions walk over operands that broadcast. */
export function binaryWalk(dims: readonly number[], layout: Layout, x: Shaped, y: Shaped): Int32Array {
  const order = (items: readonly number[]) => memoryOrder(items, layout);
  const xStrides = broadcastStrides(x.dims, x.layout, dims);
  const yStrides = broadcastStrides(y.dims, y.layout, dims);
  return walk(order(dims), order(xStrides), order(yStrides));
}

function apply(code: number, dims: readonly number[], layout: Layout, x: Plain, y: Plain, out: Float32Array): void {
  addon.binary(code, binaryWalk(dims, layout, x, y), x.data, y.data, out);
}

/** Writes Σ g over what x was broadcast along to target, in the layout of x. */
export function sumToShape(
  g: Float32Array,
  dims: readonly number[],
  layout: Layout,
  x: Pick<Value, 'dims' | 'layout'>,
  target: Float32Array,
): void {
  const order = (items: readonly number[]) => memoryOrder(items, layout);
  const xStrides = broadcastStrides(x.dims, x.layout, dims);
  addon.reduceSum(walk(order(dims), order(xStrides), order(strides(dims, layout))), 1, g, target);
}

function broadcastDims(x: readonly number[], y: readonly number[]): number[] {
  const rank = Math.max(x.length, y.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [x[axis - rank + x.length] ?? 1, y[axis - rank + y.length] ?? 1];
    return a === 1 ? b : a;
  });
}

/** Shape and layout of the result: the layout of an operand that does not broadcast, channels-last before rows. */
export function broadcastResult(x: Value, y: Value): { dims: number[]; layout: Layout } {
  const dims = broadcastDims(x.dims, y.dims);
  const size = sizeOf(dims);
  const full = [x, y].filter((operand) => operand.size === size && operand.dims.length === dims.length);
  return { dims, layout: full.some((operand) => operand.layout === 'channelsLast') ? 'channelsLast' : 'rows' };
}

export function binary(tape: Tape, name: keyof typeof BINARY, x: Value, y: Value): Value {
  const { dims, layout } = broadcastResult(x, y);
  const size = sizeOf(dims);
  const z = tape.make(dims, layout, [x, y]);
  const [xs, ys, zs] = [plain(x), plain(y), plain(z)];
  const axes = binaryWalk(dims, layout, xs, ys);
  tape.compute(() => addon.binary(BINARY[name], axes, xs.data, ys.data, zs.data));
  const product = name === 'mul' || name === 'div';
  const choice = name === 'min' || name === 'max';
  const same = (operand: Value) => operand.layout === layout && operand.size === size;
  const kept = product ? [x, y] : name === 'addRelu' ? [z] : choice || name === 'pow' ? [x, y, z] : [];
  const backward = (dz: Float32Array, gradient: Buffer32) => {
    const masked = name === 'addRelu' ? reluGradient(tape, zs.data, dz) : undefined;
    const g = masked ?? gradient;
    const gs: Plain = { dims, layout, data: g.array };
    const pass = (operand: Value, compute?: (target: Float32Array) => void) => {
      if (!operand.needsGradient) return;
      if (!compute && same(operand)) return tape.give(operand, g);
      const all = compute ? tape.memory.take(size) : g;
      if (compute) tape.compute(() => compute(all.array));
      tape.into(operand, (target) => sumToShape(all.array, dims, layout, operand, target));
      if (compute) tape.memory.release(all);
    };
    if (name === 'mul') {
      pass(x, (out) => apply(BINARY.mul, dims, layout, gs, ys, out));
      pass(y, (out) => apply(BINARY.mul, dims, layout, gs, xs, out));
    } else if (name === 'div') {
      pass(x, (out) => apply(BINARY.div, dims, layout, gs, ys, out));
      pass(y, (out) => {
        apply(BINARY.mul, dims, layout, gs, xs, out); // −g · x / y²
        apply(BINARY.div, dims, layout, { dims, layout, data: out }, ys, out);
        apply(BINARY.div, dims, layout, { dims, layout, data: out }, ys, out);
        addon.unary(UNARY.scale, -1, 0, out, out);
      });
    } else if (name === 'pow') {
      pass(x, (out) => {
        // g · y · x^(y − 1)
        const lower = tape.memory.take(ys.data.length);
        addon.unary(UNARY.scale, 1, -1, ys.data, lower.array);
        apply(BINARY.pow, dims, layout, xs, { ...ys, data: lower.array }, out);
        tape.memory.release(lower);
        apply(BINARY.mul, dims, layout, { dims, layout, data: out }, ys, out);
        apply(BINARY.mul, dims, layout, { dims, layout, data: out }, gs, out);
      });
      pass(y, (out) => {
        // g · z · ln x
        const logs = tape.memory.take(xs.data.length);
        addon.unary(UNARY.log, 0, 0, xs.data, logs.array);
        apply(BINARY.mul, dims, layout, zs, { ...xs, data: logs.array }, out);
        tape.memory.release(logs);
        apply(BINARY.mul, dims, layout, { dims, layout, data: out }, gs, out);
      });
    } else if (choice) {
      // The gradient goes to the chosen operand; to x where both are equal.
      const chosen = (wantsX: boolean) => (out: Float32Array) => {
        apply(BINARY.sub, dims, layout, zs, xs, out);
        for (let i = 0; i < out.length; i++) out[i] = (out[i] === 0) === wantsX ? (gs.data[i] as number) : 0;
      };
      pass(x, chosen(true));
      pass(y, chosen(false));
    } else {
      pass(x);
      pass(y, name === 'sub' ? (out) => addon.unary(UNARY.scale, -1, 0, g.array, out) : undefined);
    }
    if (masked) tape.memory.release(masked);
  };
  // The gradient of a power needs intermediate memory.
  tape.record(z, kept, backward, name === 'pow' ? undefined : REPEATS);
  return z;
}
