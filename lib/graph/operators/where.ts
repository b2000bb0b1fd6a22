// Where: x where the condition holds, else y; all three broadcast.
import { broadcast, formatShape } from '../dims.js';
import { defineOperator, none, required, unknown } from '../operator.js';
import { broadcastOffsets, take } from './movement.js';

export const Where = defineOperator({
  name: 'Where',
  attributes: {},
  inputs: [3, 3],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const [condition, x, y] = [required(call.inputs, 0), required(call.inputs, 1), required(call.inputs, 2)];
    if (condition.dtype !== 'bool') call.fail(`expected a condition of bool, received ${condition.dtype}`);
    if (x.dtype !== y.dtype) call.fail(`expected values of one type, received ${x.dtype} and ${y.dtype}`);
    const values = broadcast(x.dims, y.dims);
    const dims = values && broadcast(condition.dims, values);
    const shapes = [condition, x, y].map((input) => formatShape(input.dims)).join(', ');
    return [{ dtype: x.dtype, dims: dims ?? call.fail(`shapes ${shapes} do not broadcast`) }];
  },
  forward: (call) => {
    const [condition, x, y] = [required(call.inputs, 0), required(call.inputs, 1), required(call.inputs, 2)];
    const { dims } = required(call.outputs, 0);
    const [chosen, fromX, fromY] = [condition, x, y].map((input) => broadcastOffsets(input.dims, dims));
    const result = take(x, fromX as Float64Array, dims);
    const to = result.data as unknown as unknown[];
    const other = y.data as ArrayLike<unknown>;
    for (let i = 0; i < to.length; i++) {
      if (!condition.data[chosen?.[i] as number]) to[i] = other[fromY?.[i] as number];
    }
    return [result];
  },
});
