// Slice: from `starts` to before `ends` by `steps`, along `axes`; negative places count from the end, and places outside
// are moved inside.
import { slice as floatSlice } from '../../autograd/ops/movement.js';
import { stridesOf } from '../../core/shape.js';
import { type HostTensor, integers } from '../../tensor/host_tensor.js';
import { type Dim, mapDim, UNKNOWN } from '../dims.js';
import { defineOperator, integersOf, none, required, resolveAxis, unknown } from '../operator.js';
import { offsetsOf, take } from './movement.js';
import { without } from './upgrades.js';

type Fail = (what: string) => never;

/** Along one axis: `count(size)` elements, the first at `first(size)`. */
interface Span {
  readonly axis: number;
  readonly step: number;
  first(size: number): number;
  count(size: number): number;
}

function spansOf(inputs: readonly (HostTensor | undefined)[], rank: number, fail: Fail): Span[] {
  // Ends may be the largest int64, "to the end": clamped as bigints, for no shape reaches 2^53.
  const places = (value: HostTensor) => Array.from(value.data as BigInt64Array, (place) => clampToSafe(BigInt(place)));
  const [starts, ends] = [places(required(inputs, 0)), places(required(inputs, 1))];
  const axes = inputs[2] ? integersOf(inputs[2], 'axes', fail) : starts.map((_, index) => index);
  const steps = inputs[3] ? places(inputs[3]) : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    fail(`expected ${starts.length} ends, axes and steps, received ${ends.length}, ${axes.length} and ${steps.length}`);
  }
  return starts.map((start, index) => {
    const step = steps[index] as number;
    if (step === 0) fail('a step is 0');
    const axis = resolveAxis(axes[index] as number, rank, rank, fail);
    const place = (at: number, size: number, least: number) =>
      Math.min(Math.max(at < 0 ? at + size : at, least), step > 0 ? size : size - 1);
    // A start before the first element is the first, backwards too; an end there stays before it, which is then below 0.
    const first = (size: number) => place(start, size, 0);
    const count = (size: number) => {
      const end = place(ends[index] as number, size, step > 0 ? 0 : -1);
      return Math.max(0, Math.ceil((end - first(size)) / step));
    };
    return { axis, step, first, count };
  });
}

function clampToSafe(value: bigint): number {
  const most = BigInt(Number.MAX_SAFE_INTEGER) >> 1n; // so that adding a size stays exact
  return Number(value > most ? most : value < -most ? -most : value);
}

/** First elements and steps of every axis. */
function geometry(spans: readonly Span[], dims: readonly number[]): { starts: number[]; steps: number[] } {
  const starts = dims.map(() => 0);
  const steps = dims.map(() => 1);
  for (const { axis, step, first, count } of spans) {
    const size = dims[axis] as number;
    starts[axis] = count(size) > 0 ? first(size) : 0;
    steps[axis] = step;
  }
  return { starts, steps };
}

export const Slice = defineOperator({
  name: 'Slice',
  attributes: {},
  inputs: [3, 5],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('channels', 'samples'),
  // to 9, all of these were attributes
  upgrades: {
    Slice: (node, call) => {
      if (call.opset >= 10) return node;
      const list = (name: string) => (node.attributes[name] ?? []) as number[];
      const axes = node.attributes.axes ? list('axes') : list('starts').map((_, index) => index);
      const lists = { starts: list('starts'), ends: list('ends'), axes };
      const constants = Object.entries(lists).map(([name, values]) => call.constant(node, name, integers(values)));
      return { ...without(node, 'starts', 'ends', 'axes'), inputs: [...node.inputs, ...constants] };
    },
  },
  settings: [1, 2, 3, 4],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const operands = [1, 2, 3, 4].map((index) => call.constant(index));
    if (operands.some((value, index) => !value && call.inputs[index + 1]))
      return [{ dtype, dims: dims.map(() => UNKNOWN) }];
    const output: Dim[] = [...dims];
    for (const { axis, count, first, step } of spansOf(operands, dims.length, call.fail)) {
      const everything = step === 1 && first(Number.MAX_SAFE_INTEGER) === 0 && count(2 ** 40) === 2 ** 40;
      if (!everything) output[axis] = mapDim(dims[axis] as Dim, count);
    }
    return [{ dtype, dims: output }];
  },
  float: (call) => {
    const x = required(call.inputs, 0);
    const operands = [1, 2, 3, 4].map((index) => call.host(index));
    const { starts, steps } = geometry(spansOf(operands, x.dims.length, call.fail), x.dims);
    return floatSlice(call.tape, x, starts, steps, call.dims);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    const { starts, steps } = geometry(spansOf(call.inputs.slice(1), input.dims.length, call.fail), input.dims);
    const strides = stridesOf(input.dims);
    const start = starts.reduce((sum, at, axis) => sum + at * (strides[axis] as number), 0);
    const offsets = offsetsOf(
      dims,
      strides.map((stride, axis) => stride * (steps[axis] as number)),
    );
    for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] as number) + start;
    return [take(input, offsets, dims)];
  },
});
