// GlobalMaxPool: the largest over all spatial dimensions. [N, C, …] → [N, C, 1, …].
import { maxPool2d } from '../../autograd/ops/pool2d.js';
import { sizeOf } from '../../tensor/host_tensor.js';
import { defineOperator, dimsOf, floatData, floatOutput, required } from '../operator.js';
import { asImage, fromImage, wholeWindow } from './window.js';

const MAX_RANK = 16;

export const globalMaxPool = defineOperator({
  name: 'GlobalMaxPool',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  shape: (call) => {
    const x = dimsOf(call, 0, 'an input', 2, MAX_RANK);
    return [{ dtype: required(call.inputs, 0).dtype, dims: x.map((dim, axis) => (axis < 2 ? dim : 1)) }];
  },
  float: (call) => {
    const x = asImage(call.tape, required(call.inputs, 0));
    return fromImage(call.tape, maxPool2d(call.tape, x, wholeWindow(x.dims)), call.dims);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const size = sizeOf(input.dims.slice(2));
    for (let plane = 0; plane < output.data.length; plane++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < size; i++) most = Math.max(most, x[plane * size + i] as number);
      output.data[plane] = most;
    }
    return [output];
  },
});
