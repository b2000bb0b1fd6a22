// PRelu: y = x, or slope · x below zero; the slope broadcasts to x. He et al., arXiv 1502.01852.
import { binary } from '../../autograd/ops/binary.js';
import { unary } from '../../autograd/ops/unary.js';
import { integers } from '../../tensor/host_tensor.js';
import { broadcast, compatible, formatShape } from '../dims.js';
import { defineOperator, floatData, floatOutput, none, required, unknown } from '../operator.js';
import { giveUp } from './channels.js';
import { broadcastOffsets } from './movement.js';

export const PRelu = defineOperator({
  name: 'PRelu',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('samples'),
  // to 6, the slopes were those of the channels
  upgrades: {
    PRelu: (node, call) => {
      const [x = '', slope = ''] = node.inputs;
      const [dims, slopes] = [call.shapeOf(x), call.shapeOf(slope)];
      if (call.opset >= 7 || slopes?.length !== 1 || slopes[0] === 1) return node;
      if (!dims) return call.refuse('before operator set 7: expected an input of known shape');
      const aligned = `${node.name}.aligned`;
      const shape = call.constant(node, 'shape', integers([-1, ...dims.slice(2).map(() => 1)]));
      const operator = 'Reshape';
      call.insert({ name: aligned, operator, inputs: [slope, shape], outputs: [aligned], attributes: {} });
      return { ...node, inputs: [x, aligned] };
    },
  },
  // Slopes below zero are not scales: they stay.
  channels: (call) => {
    const same = JSON.stringify(call.dims(0)) === JSON.stringify(call.outputDims);
    return same && !call.slots(1) ? call.slots(0) : giveUp(call, call.slots(0), call.slots(1));
  },
  shape: (call) => {
    const [x, slope] = [required(call.inputs, 0), required(call.inputs, 1)];
    const dims = broadcast(x.dims, slope.dims);
    if (dims?.length !== x.dims.length || !dims.every((dim, axis) => compatible(dim, x.dims[axis] ?? 1))) {
      call.fail(`a slope of ${formatShape(slope.dims)} does not broadcast to ${formatShape(x.dims)}`);
    }
    return [x];
  },
  float: ({ tape, inputs, host }) => {
    const [x, slope] = [required(inputs, 0), required(inputs, 1)];
    if (!host(1)?.data.every((each) => Number.isFinite(each as number)) && host(1)) return undefined; // 0 · ∞ is NaN
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
