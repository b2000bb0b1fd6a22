// Not: the negation of a bool.
import { defineOperator, none, required, unknown } from '../operator.js';

export const Not = defineOperator({
  name: 'Not',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const input = required(call.inputs, 0);
    if (input.dtype !== 'bool') call.fail(`expected bool, received ${input.dtype}`);
    return [input];
  },
  forward: (call) => {
    const { dims, data } = required(call.inputs, 0);
    return [{ dtype: 'bool', dims, data: Uint8Array.from(data as Uint8Array, (x) => 1 - x) }];
  },
});
