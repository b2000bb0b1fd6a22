// Range: start, start + delta, … to before limit.
import { allocate } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { UNKNOWN } from '../dims.js';
import { defineOperator, none, required, unknown } from '../operator.js';

const count = (inputs: readonly (HostTensor | undefined)[]): number => {
  const [start = 0, limit = 0, delta = 0] = inputs.map((input) => Number(input?.data[0]));
  return Math.max(0, Math.ceil((limit - start) / delta));
};

export const Range = defineOperator({
  name: 'Range',
  attributes: {},
  inputs: [3, 3],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  settings: [0, 1, 2],
  shape: (call) => {
    const inputs = [0, 1, 2].map((index) => call.constant(index));
    const { dtype } = required(call.inputs, 0);
    if (dtype === 'string' || dtype === 'bool') call.fail(`expected numbers, received ${dtype}`);
    if (call.inputs.some((input) => input?.dtype !== dtype)) call.fail('expected start, limit and delta of one type');
    if (inputs.some((input) => input && input.data.length !== 1)) call.fail('expected scalars');
    if (inputs.some((input) => !input)) return [{ dtype, dims: [UNKNOWN] }];
    if (Number(inputs[2]?.data[0]) === 0) call.fail('its delta is 0');
    return [{ dtype, dims: [count(inputs)] }];
  },
  forward: (call) => {
    const { dtype, dims } = required(call.outputs, 0);
    const [start, , delta] = call.inputs.map((input) => input?.data[0]);
    const data = allocate(dtype, dims[0] as number) as unknown as (number | bigint)[];
    for (let i = 0; i < data.length; i++) {
      data[i] =
        typeof start === 'bigint' ? start + BigInt(i) * (delta as bigint) : (start as number) + i * (delta as number);
    }
    return [{ dtype, dims, data } as unknown as HostTensor];
  },
});
