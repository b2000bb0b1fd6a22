// Trilu: the upper (or lower) triangle of matrices, the rest zero; k moves the diagonal.
import { allocate } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { defineOperator, dimsOf, int, none, required, unknown } from '../operator.js';

const MAX_RANK = 64;

export const Trilu = defineOperator({
  name: 'Trilu',
  since: 14,
  attributes: { upper: int(1) },
  inputs: [1, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  settings: [1],
  shape: (call) => {
    dimsOf(call, 0, 'matrices', 2, MAX_RANK);
    return [required(call.inputs, 0)];
  },
  forward: (call) => {
    const { dtype, dims, data } = required(call.inputs, 0);
    const k = Number(call.inputs[1]?.data[0] ?? 0);
    const [rows, columns] = dims.slice(-2) as [number, number];
    const from = data as unknown as ArrayLike<unknown>;
    const to = allocate(dtype, from.length) as unknown as unknown[];
    for (let i = 0; i < from.length; i++) {
      const column = i % columns;
      const row = Math.floor(i / columns) % rows;
      if (call.attributes.upper ? column >= row + k : column <= row + k) to[i] = from[i];
    }
    return [{ dtype, dims, data: to } as unknown as HostTensor];
  },
});
