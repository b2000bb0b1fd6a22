// LogSoftmax along one axis: x − max − ln Σ e^(x − max).
import { sizeOf } from '../../tensor/host_tensor.js';
import { defineOperator, floatData, floatOutput, int, required, resolveAxis } from '../operator.js';

export const logSoftmax = defineOperator({
  name: 'LogSoftmax',
  attributes: { axis: int(-1) },
  inputs: [1, 1],
  outputs: [1, 1],
  shape: (call) => {
    const input = required(call.inputs, 0);
    resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    return [input];
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const axis = resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    const size = input.dims[axis] as number;
    const step = sizeOf(input.dims.slice(axis + 1));
    for (let outer = 0; outer < x.length; outer += size * step) {
      for (let inner = 0; inner < step; inner++) {
        const start = outer + inner;
        let max = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < size; i++) max = Math.max(max, x[start + i * step] as number);
        let sum = 0;
        for (let i = 0; i < size; i++) sum += Math.exp((x[start + i * step] as number) - max);
        const shift = max + Math.log(sum);
        for (let i = 0; i < size; i++) output.data[start + i * step] = (x[start + i * step] as number) - shift;
      }
    }
    return [output];
  },
});
