// Dropout in inference: y = x, and a mask of ones. The training interpreter draws its own masks, seeded; the
// reference refuses training_mode rather than guess another library's random numbers.
import { dropout } from '../../autograd/ops/dropout.js';
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { defineOperator, int, none, required, TRAINING_MODE } from '../operator.js';
import { homogeneous } from './channels.js';
import { numberOf, without } from './upgrades.js';

/** Of the values that nodes drop by; absent: half. */
const ratioOf = (ratio: HostTensor | undefined) => (ratio ? Number(ratio.data[0]) : 0.5);

const trains = (constant: (index: number) => HostTensor | undefined) =>
  Boolean(constant(2)?.data[0]) && ratioOf(constant(1)) !== 0;

export const Dropout = defineOperator({
  name: 'Dropout',
  attributes: { seed: int() },
  inputs: [1, 3],
  outputs: [1, 2],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'detail'),
  // to 11, the ratio was an attribute, and in inference it does nothing
  upgrades: {
    Dropout: (node, call) => {
      if (call.opset < 7 && numberOf(node, 'is_test', 0) === 0) call.refuse('training is not supported');
      return without(node, 'ratio', 'is_test', 'consumed_inputs');
    },
  },
  trains: (_attributes, constant) => trains(constant),
  unfoldable: 'random',
  samples: 'alone',
  channels: homogeneous,
  settings: [1, 2],
  shape: (call) => {
    const input = required(call.inputs, 0);
    return [input, { dtype: 'bool', dims: input.dims }];
  },
  float: (call) => {
    const ratio = ratioOf(call.host(1));
    const x = required(call.inputs, 0);
    if (!call.tape.training && trains((index) => call.host(index))) call.fail(TRAINING_MODE);
    if (!call.tape.training || ratio === 0) return call.tape.alias(x, x.dims, x.layout);
    return dropout(call.tape, x, ratio, call.state.random());
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    if (trains((index) => call.inputs[index])) call.fail(TRAINING_MODE);
    const mask: HostTensor = { dtype: 'bool', dims: input.dims, data: new Uint8Array(sizeOf(input.dims)).fill(1) };
    return [input, mask];
  },
});
