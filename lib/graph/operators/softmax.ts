// Softmax along one axis: e^(x − max) / Σ e^(x − max).
import { toRows } from '../../autograd/ops/layout.js';
import { transpose } from '../../autograd/ops/movement.js';
import { softmax as floatSoftmax } from '../../autograd/ops/softmax.js';
import { sizeOf } from '../../tensor/host_tensor.js';
import { defineOperator, floatData, floatOutput, int, required, resolveAxis } from '../operator.js';

export const softmax = defineOperator({
  name: 'Softmax',
  attributes: { axis: int(-1) },
  inputs: [1, 1],
  outputs: [1, 1],
  shape: (call) => {
    const input = required(call.inputs, 0);
    resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    return [input];
  },
  float: ({ tape, inputs, attributes, fail }) => {
    const x = required(inputs, 0);
    const rank = x.dims.length;
    const axis = resolveAxis(attributes.axis, rank, rank, fail);
    if (axis === rank - 1) return floatSoftmax(tape, toRows(tape, x));
    // The axis goes last and comes back.
    const order = Array.from({ length: rank }, (_, i) => i);
    [order[axis], order[rank - 1]] = [rank - 1, axis];
    return transpose(tape, floatSoftmax(tape, transpose(tape, x, order)), order);
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
        for (let i = 0; i < size; i++) {
          output.data[start + i * step] = Math.exp((x[start + i * step] as number) - max) / sum;
        }
      }
    }
    return [output];
  },
});
