// Unsqueeze: with dimensions of size one more, at `axes` of the result.
import { reshape } from '../../autograd/ops/movement.js';
import { type Dim, unknownDims } from '../dims.js';
import { defineOperator, integersOf, lengthOf, none, required, resolveAxis, unknown } from '../operator.js';
import { reshaping } from './channels.js';
import { attributeToInput } from './upgrades.js';

export const Unsqueeze = defineOperator({
  name: 'Unsqueeze',
  readout: 'same',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('samples'),
  upgrades: { Unsqueeze: attributeToInput('axes') },
  device: { kind: 'reshape' },
  channels: reshaping,
  settings: [1],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const constant = call.constant(1);
    if (!constant) return [{ dtype, dims: unknownDims(dims.length + lengthOf(call, 1, 'axes')) }];
    const listed = integersOf(constant, 'axes', call.fail);
    const rank = dims.length + listed.length;
    const axes = new Set(listed.map((axis) => resolveAxis(axis, rank, rank, call.fail)));
    if (axes.size !== listed.length) call.fail(`axes [${listed}] name one twice`);
    const rest = [...dims];
    return [{ dtype, dims: Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() as Dim))) }];
  },
  float: (call) => reshape(call.tape, required(call.inputs, 0), call.dims),
  forward: (call) => [{ ...required(call.inputs, 0), dims: required(call.outputs, 0).dims }],
});
