// Reshape: the same elements in another shape. In the shape input 0 keeps a dimension, one −1 is what is left.
import { reshape as floatReshape } from '../../autograd/ops/movement.js';
import { type Dim, formatShape, productDim, quotientDim, unknownDims } from '../dims.js';
import { defineOperator, int, integersOf, lengthOf, none, required } from '../operator.js';

export const reshape = defineOperator({
  name: 'Reshape',
  attributes: { allowzero: int(0) },
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'product'),
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
