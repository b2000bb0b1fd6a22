// ReduceMean: the mean over some axes (all, when none are given). Axes are an attribute to opset 17, an input from 18.
import { reduceMean as floatMean } from '../../autograd/ops/movement.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { type Dim, UNKNOWN } from '../dims.js';
import { defineOperator, floatData, floatOutput, int, integersOf, ints, required, resolveAxis } from '../operator.js';
import { broadcastOffsets } from './movement.js';

interface ReduceAttributes {
  readonly axes?: readonly number[] | undefined;
  readonly keepdims: number;
  readonly noop_with_empty_axes: number;
}

/** Which axes are averaged away. */
function reducedAxes(
  attributes: ReduceAttributes,
  axes: HostTensor | undefined,
  rank: number,
  fail: (what: string) => never,
) {
  const given = attributes.axes ?? (axes ? integersOf(axes, 'axes', fail) : []);
  if (given.length === 0) return new Array<boolean>(rank).fill(!attributes.noop_with_empty_axes);
  const reduced = new Array<boolean>(rank).fill(false);
  for (const axis of given) reduced[resolveAxis(axis, rank, rank, fail)] = true;
  return reduced;
}

export const reduceMean = defineOperator({
  name: 'ReduceMean',
  attributes: { axes: ints(), keepdims: int(1), noop_with_empty_axes: int(0) },
  inputs: [1, 2],
  outputs: [1, 1],
  spans: { axes: { until: 17 }, noop_with_empty_axes: { since: 18 }, 1: { since: 18 } },
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const axes = call.constant(1);
    if (call.inputs[1] && !axes) {
      if (call.attributes.keepdims) return [{ dtype, dims: dims.map(() => UNKNOWN) }];
      return call.fail('its axes are computed at run time; wanted constants');
    }
    const reduced = reducedAxes(call.attributes, axes, dims.length, call.fail);
    if (call.attributes.keepdims) return [{ dtype, dims: dims.map((dim, axis): Dim => (reduced[axis] ? 1 : dim)) }];
    return [{ dtype, dims: dims.filter((_, axis) => !reduced[axis]) }];
  },
  float: (call) => {
    const x = required(call.inputs, 0);
    const reduced = reducedAxes(call.attributes, call.host(1), x.dims.length, call.fail);
    const axes = reduced.flatMap((isReduced, axis) => (isReduced ? [axis] : []));
    return floatMean(call.tape, x, axes, call.attributes.keepdims !== 0);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const reduced = reducedAxes(call.attributes, call.inputs[1], input.dims.length, call.fail);
    const kept = input.dims.map((size, axis) => (reduced[axis] ? 1 : size));
    const targets = broadcastOffsets(kept, input.dims);
    const sums = new Float64Array(output.data.length);
    for (let i = 0; i < x.length; i++) {
      sums[targets[i] as number] = (sums[targets[i] as number] as number) + (x[i] as number);
    }
    for (let i = 0; i < sums.length; i++) output.data[i] = (sums[i] as number) / (x.length / sums.length);
    return [output];
  },
});
