// LogSoftmax along one axis: x − max − ln Σ e^(x − max).
import { defineOperator, int, none, required, resolveAxis, unknown } from '../operator.js';
import { alongAxis, onlyAxis } from './along_axis.js';

export const LogSoftmax = defineOperator({
  name: 'LogSoftmax',
  attributes: { axis: int(-1) },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('channels', 'samples'),
  upgrades: { LogSoftmax: onlyAxis },
  shape: (call) => {
    const input = required(call.inputs, 0);
    resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    return [input];
  },
  forward: (call) =>
    alongAxis(call, (line) => {
      const max = line.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
      const shift = max + Math.log(line.reduce((total, x) => total + Math.exp(x - max), 0));
      return (x) => x - shift;
    }),
});
