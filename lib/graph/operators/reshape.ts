// Reshape: the same elements in another shape. In the shape input 0 keeps a dimension, one −1 is the remainder.
import { reshape as floatReshape } from '../../autograd/ops/movement.js';
import { integers } from '../../tensor/host_tensor.js';
import { type Dim, formatShape, productDim, quotientDim, unknownDims } from '../dims.js';
import { defineOperator, int, integersOf, lengthOf, none, required, unknown } from '../operator.js';
import { reshaping } from './channels.js';
import { without } from './upgrades.js';

export const Reshape = defineOperator({
  name: 'Reshape',
  readout: 'same',
  attributes: { allowzero: int(0) },
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('settings', 'statistics', 'fromTypes', 'unfoldable', 'detail'),
  ...unknown('samples'),
  // to 4, the shape was an attribute
  upgrades: {
    Reshape: (node, call) => {
      if (call.opset >= 5) return node;
      const shape = integers((node.attributes.shape ?? []) as number[]);
      const inputs = [...node.inputs, call.constant(node, 'shape', shape)];
      return { ...without(node, 'shape', 'consumed_inputs'), inputs };
    },
  },
  openShape: 1,
  device: { kind: 'reshape' },
  channels: reshaping,
  spans: { allowzero: { since: 14 } },
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const constant = call.constant(1);
    if (!constant) return [{ dtype, dims: unknownDims(lengthOf(call, 1, 'shape')) }];
    const expected = integersOf(constant, 'a shape', call.fail);
    const refuse = () => call.fail(`cannot reshape ${formatShape(dims)} to ${formatShape(expected)}`);
    if (expected.some((size) => size < -1) || expected.filter((size) => size === -1).length > 1) refuse();
    const output: Dim[] = expected.map((size, axis) => {
      return size === 0 && !call.attributes.allowzero ? (dims[axis] ?? refuse()) : size;
    });
    const hole = output.indexOf(-1);
    if (hole >= 0) {
      const rest = output.filter((_, axis) => axis !== hole);
      output[hole] = rest.includes(0) ? 0 : (quotientDim(dims, rest) ?? refuse());
    }
    const [before, after] = [productDim(dims), productDim(output)];
    if (typeof before === 'number' && typeof after === 'number' && before !== after) refuse();
    return [{ dtype, dims: output }];
  },
  float: (call) => floatReshape(call.tape, required(call.inputs, 0), call.dims),
  forward: (call) => [{ ...required(call.inputs, 0), dims: required(call.outputs, 0).dims }],
});
