// Squeeze: without dimensions of size one, those of `axes` or all.
import { reshape } from '../../autograd/ops/movement.js';
import { formatShape, unknownDims } from '../dims.js';
import { defineOperator, integersOf, lengthOf, none, required, resolveAxis, unknown } from '../operator.js';
import { reshaping } from './channels.js';
import { attributeToInput } from './upgrades.js';

export const Squeeze = defineOperator({
  name: 'Squeeze',
  readout: 'same',
  attributes: {},
  inputs: [1, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('samples'),
  upgrades: { Squeeze: attributeToInput('axes') },
  device: { kind: 'reshape' },
  channels: reshaping,
  settings: [1],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const constant = call.constant(1);
    if (!constant && call.inputs[1]) return [{ dtype, dims: unknownDims(dims.length - lengthOf(call, 1, 'axes')) }];
    if (!constant && dims.some((dim) => typeof dim === 'string')) {
      return call.fail('expected constant axes, received axes computed at run time');
    }
    const listed = constant && integersOf(constant, 'axes', call.fail);
    const axes = listed?.map((axis) => resolveAxis(axis, dims.length, dims.length, call.fail));
    const gone = (axis: number) => (axes ? axes.includes(axis) : dims[axis] === 1);
    if (dims.some((dim, axis) => gone(axis) && typeof dim === 'number' && dim !== 1)) {
      call.fail(`expected axes [${listed}] of size 1, received ${formatShape(dims)}`);
    }
    return [{ dtype, dims: dims.filter((_, axis) => !gone(axis)) }];
  },
  float: (call) => reshape(call.tape, required(call.inputs, 0), call.dims),
  forward: (call) => [{ ...required(call.inputs, 0), dims: required(call.outputs, 0).dims }],
});
