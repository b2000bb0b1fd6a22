// Flatten: to a matrix, the dimensions before `axis` by those from it on.
import { reshape as floatReshape } from '../../autograd/ops/movement.js';
import { productDim } from '../dims.js';
import { defineOperator, int, none, required, resolveAxis } from '../operator.js';
import { reshaping } from './channels.js';

export const Flatten = defineOperator({
  name: 'Flatten',
  readout: 'same',
  attributes: { axis: int(1) },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  samples: ({ axis }) => (axis === 1 ? 'alone' : 'unknown'),
  device: { kind: 'reshape' },
  channels: reshaping,
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const axis = resolveAxis(call.attributes.axis, dims.length + 1, dims.length, call.fail);
    return [{ dtype, dims: [productDim(dims.slice(0, axis)), productDim(dims.slice(axis))] }];
  },
  float: (call) => floatReshape(call.tape, required(call.inputs, 0), call.dims),
  forward: (call) => [{ ...required(call.inputs, 0), dims: required(call.outputs, 0).dims }],
});
