// Expand: x read as the shape that it and `shape` broadcast to.
import { expand } from '../../autograd/ops/movement.js';
import { broadcast, formatShape, unknownDims } from '../dims.js';
import { defineOperator, integersOf, lengthOf, none, required, unknown } from '../operator.js';
import { broadcastOffsets, take } from './movement.js';

export const Expand = defineOperator({
  name: 'Expand',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  settings: [1],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const constant = call.constant(1);
    if (!constant) return [{ dtype, dims: unknownDims(Math.max(dims.length, lengthOf(call, 1, 'shape'))) }];
    const shape = integersOf(constant, 'a shape', call.fail);
    if (shape.some((size) => size < 0)) call.fail(`expected sizes of at least 0, received [${shape}]`);
    const joined = broadcast(dims, shape);
    return [{ dtype, dims: joined ?? call.fail(`${formatShape(dims)} does not broadcast to [${shape}]`) }];
  },
  float: (call) => expand(call.tape, required(call.inputs, 0), call.dims),
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    return [take(input, broadcastOffsets(input.dims, dims), dims)];
  },
});
