// Clip: y = min(max(x, low), high); low and high are optional scalar inputs. Any type of number.
import { unary } from '../../autograd/ops/unary.js';
import { allocate } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { knownSize } from '../dims.js';
import { defineOperator, none, required } from '../operator.js';

export const clip = defineOperator({
  name: 'Clip',
  attributes: {},
  inputs: [1, 3],
  outputs: [1, 1],
  ...none('fuses', 'product'),
  fusion: {
    as: 'activation',
    rectifies: false,
    bounds: (node) => {
      const [low, high] = [1, 2].map((index) => {
        const absent = index === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
        return node.has(index) ? Number(node.constant(index)?.data[0] ?? Number.NaN) : absent;
      }) as [number, number];
      return low <= high ? [low, high] : undefined;
    },
  },
  settings: [1, 2],
  shape: (call) => {
    const input = required(call.inputs, 0);
    if (input.dtype === 'string' || input.dtype === 'bool') call.fail(`expected numbers, received ${input.dtype}`);
    for (const bound of call.inputs.slice(1)) {
      if (bound && bound.dtype !== input.dtype) call.fail(`expected bounds of ${input.dtype}, received ${bound.dtype}`);
      if (bound && (knownSize(bound.dims) ?? 1) !== 1) call.fail('expected scalar bounds');
    }
    return [input];
  },
  float: (call) => {
    const bound = (index: number, absent: number) => {
      const value = call.host(index);
      if (!value && call.inputs[index]) call.fail('its bounds are computed on the tape');
      return value ? Number(value.data[0]) : absent;
    };
    const x = required(call.inputs, 0);
    return unary(call.tape, 'clip', x, bound(1, Number.NEGATIVE_INFINITY), bound(2, Number.POSITIVE_INFINITY));
  },
  forward: (call) => {
    const { dtype, dims, data } = required(call.inputs, 0);
    const [low, high] = [call.inputs[1]?.data[0], call.inputs[2]?.data[0]];
    const from = data as Float32Array;
    const to = allocate(dtype, from.length) as Float32Array;
    for (let i = 0; i < from.length; i++) {
      let x = from[i] as number;
      if (low !== undefined && x < (low as number)) x = low as number;
      if (high !== undefined && x > (high as number)) x = high as number;
      to[i] = x; // comparisons and stores work on bigints all the same
    }
    return [{ dtype, dims, data: to } as HostTensor];
  },
});
