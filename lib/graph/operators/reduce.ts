// Reductions over some axes, all without axes. Axes are an attribute in older operator sets, an input in newer.
import { reduceMean, reduceSum } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { allocate, isFloat } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { type Dim, UNKNOWN } from '../dims.js';
import type { ChannelRule } from '../facts.js';
import {
  defineOperator,
  type FamilyAnswers,
  type FloatCall,
  int,
  integersOf,
  ints,
  none,
  required,
  resolveAxis,
  unknown,
} from '../operator.js';
import { giveUp } from './channels.js';
import { broadcastOffsets } from './movement.js';

const ATTRIBUTES = { axes: ints(), keepdims: int(1), noop_with_empty_axes: int(0) };

interface ReduceAttributes {
  readonly axes?: readonly number[] | undefined;
  readonly keepdims: number;
  readonly noop_with_empty_axes: number;
}

/** Which axes are reduced away. */
function reducedAxes(
  attributes: ReduceAttributes,
  axes: HostTensor | undefined,
  rank: number,
  fail: (what: string) => never,
) {
  const listed = attributes.axes ?? (axes ? integersOf(axes, 'axes', fail) : []);
  if (listed.length === 0) return new Array<boolean>(rank).fill(!attributes.noop_with_empty_axes);
  const reduced = new Array<boolean>(rank).fill(false);
  for (const axis of listed) reduced[resolveAxis(axis, rank, rank, fail)] = true;
  return reduced;
}

interface Reduction {
  readonly start: number;
  /** The next state from the last and an element. */
  step(state: number, x: number): number;
  /** The result from the last state and the number of elements; the state itself when absent. */
  finish?(state: number, count: number): number;
  /** The native one that computes it. */
  readonly native?: 'sum' | 'mean';
  readonly floatsOnly?: boolean;
}

/** `axesInput`: the operator set in which axes became an input. */
export function reduction(
  name: string,
  axesInput: number,
  { start, step, finish, native, floatsOnly }: Reduction,
  answers: FamilyAnswers = {},
) {
  const until = axesInput - 1;
  const operator = defineOperator({
    name,
    attributes: ATTRIBUTES,
    inputs: [1, 2],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion', 'device'),
    ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    ...unknown('channels', 'samples'),
    spans: { axes: { until }, noop_with_empty_axes: { since: axesInput }, 1: { since: axesInput } },
    settings: [1],
    shape: (call) => {
      const { dtype, dims } = required(call.inputs, 0);
      if (dtype === 'string' || dtype === 'bool' || (floatsOnly && !isFloat(dtype))) {
        call.fail(`expected ${floatsOnly ? 'floats' : 'numbers'}, received ${dtype}`);
      }
      const axes = call.constant(1);
      if (call.inputs[1] && !axes) {
        if (call.attributes.keepdims) return [{ dtype, dims: dims.map(() => UNKNOWN) }];
        return call.fail('its axes are computed at run time; expected constants');
      }
      const reduced = reducedAxes(call.attributes, axes, dims.length, call.fail);
      if (call.attributes.keepdims) return [{ dtype, dims: dims.map((dim, axis): Dim => (reduced[axis] ? 1 : dim)) }];
      return [{ dtype, dims: dims.filter((_, axis) => !reduced[axis]) }];
    },
    float: native
      ? (call: FloatCall<typeof ATTRIBUTES>) => {
          const x = required(call.inputs, 0);
          const reduced = reducedAxes(call.attributes, call.host(1), x.dims.length, call.fail);
          const axes = reduced.flatMap((isReduced, axis) => (isReduced ? [axis] : []));
          const compute = native === 'mean' ? reduceMean : reduceSum;
          return compute(call.tape, x, axes, call.attributes.keepdims !== 0);
        }
      : 'none',
    forward: (call) => {
      const input = required(call.inputs, 0);
      const { dtype, dims } = required(call.outputs, 0);
      const reduced = reducedAxes(call.attributes, call.inputs[1], input.dims.length, call.fail);
      const targets = broadcastOffsets(
        input.dims.map((size, axis) => (reduced[axis] ? 1 : size)),
        input.dims,
      );
      const states = new Float64Array(sizeOf(dims)).fill(start);
      for (let i = 0; i < targets.length; i++) {
        const at = targets[i] as number;
        states[at] = step(states[at] as number, Number(input.data[i]));
      }
      const count = targets.length / states.length;
      const data = allocate(dtype, states.length) as unknown as (number | bigint)[];
      const wide = dtype === 'int64' || dtype === 'uint64';
      for (let i = 0; i < states.length; i++) {
        const value = finish ? finish(states[i] as number, count) : (states[i] as number);
        data[i] = wide ? BigInt(value) : value;
      }
      return [{ dtype, dims, data } as unknown as HostTensor];
    },
  });
  return { ...operator, ...answers };
}

/** Axes that are constants and not the channels' leave the scale of channels as it is: sums, means and extremes. */
export const keepsChannels: ChannelRule<Partial<ReduceAttributes>> = (call) => {
  const x = call.slots(0);
  if (!x) return undefined;
  const rank = call.dims(0).length;
  const known = !call.has(1) || call.constant(1);
  const listed = call.attributes.axes ?? Array.from(call.constant(1)?.data ?? [], Number);
  const reduced = listed.map((axis) => (axis < 0 ? axis + rank : axis));
  if (!known || listed.length === 0 || reduced.includes(x.axis)) return giveUp(call, x);
  const gone = call.attributes.keepdims ? 0 : reduced.filter((axis) => axis < x.axis).length;
  return { axis: x.axis - gone, ids: x.ids };
};
