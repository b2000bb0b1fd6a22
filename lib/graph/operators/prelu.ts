// PRelu: y = x, or slope · x below zero; the slope broadcasts to x. He et al., arXiv 1502.01852.
import { binary } from '../../autograd/ops/binary.js';
import { unary } from '../../autograd/ops/unary.js';
import { broadcast, compatible, formatShape } from '../dims.js';
import { defineOperator, floatData, floatOutput, none, required } from '../operator.js';
import { broadcastOffsets } from './movement.js';

export const prelu = defineOperator({
  name: 'PRelu',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'product'),
  shape: (call) => {
    const [x, slope] = [required(call.inputs, 0), required(call.inputs, 1)];
    const dims = broadcast(x.dims, slope.dims);
    if (dims?.length !== x.dims.length || !dims.every((dim, axis) => compatible(dim, x.dims[axis] ?? 1))) {
      call.fail(`a slope of ${formatShape(slope.dims)} does not broadcast to ${formatShape(x.dims)}`);
    }
    return [x];
  },
  float: ({ tape, inputs }) => {
    const [x, slope] = [required(inputs, 0), required(inputs, 1)];
    const below = unary(tape, 'clip', x, Number.NEGATIVE_INFINITY, 0);
    return binary(tape, 'add', unary(tape, 'relu', x), binary(tape, 'mul', below, slope));
  },
  forward: (call) => {
    const [input, slope] = [required(call.inputs, 0), required(call.inputs, 1)];
    const [x, factor] = [floatData(input, call.fail), floatData(slope, call.fail)];
    const output = floatOutput(required(call.outputs, 0));
    const offsets = broadcastOffsets(slope.dims, output.dims);
    for (let i = 0; i < x.length; i++) {
      const value = x[i] as number;
      output.data[i] = value < 0 ? value * (factor[offsets[i] as number] as number) : value;
    }
    return [output];
  },
});
