// Softmax along one axis: e^(x − max) / Σ e^(x − max).
import { toRows } from '../../autograd/ops/layout.js';
import { transpose } from '../../autograd/ops/movement.js';
import { softmax } from '../../autograd/ops/softmax.js';
import { defineOperator, int, none, required, resolveAxis, unknown } from '../operator.js';
import { alongAxis, onlyAxis } from './along_axis.js';

export const Softmax = defineOperator({
  name: 'Softmax',
  attributes: { axis: int(-1) },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('channels', 'samples'),
  upgrades: { Softmax: onlyAxis },
  shape: (call) => {
    const input = required(call.inputs, 0);
    resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    return [input];
  },
  float: ({ tape, inputs, attributes, fail }) => {
    const x = required(inputs, 0);
    if (x.size === 0) return undefined;
    const rank = x.dims.length;
    const axis = resolveAxis(attributes.axis, rank, rank, fail);
    if (axis === rank - 1) return softmax(tape, toRows(tape, x));
    // The axis goes last and comes back.
    const order = Array.from({ length: rank }, (_, i) => i);
    [order[axis], order[rank - 1]] = [rank - 1, axis];
    return transpose(tape, softmax(tape, transpose(tape, x, order)), order);
  },
  forward: (call) =>
    alongAxis(call, (line) => {
      const max = line.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
      const sum = line.reduce((total, x) => total + Math.exp(x - max), 0);
      return (x) => Math.exp(x - max) / sum;
    }),
});
