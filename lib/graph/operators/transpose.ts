// Transpose: output dimension i is input dimension perm[i]; without perm they are reversed.
import { transpose } from '../../autograd/ops/movement.js';
import { stridesOf } from '../../core/shape.js';
import { formatShape } from '../dims.js';
import { defineOperator, ints, none, required, unknown } from '../operator.js';
import { giveUp } from './channels.js';
import { offsetsOf, take } from './movement.js';

export const Transpose = defineOperator({
  name: 'Transpose',
  attributes: { perm: ints() },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('samples'),
  channels: (call) => {
    const x = call.slots(0);
    if (!x) return undefined;
    const rank = call.dims(0).length;
    const perm = permutation(call.attributes.perm, rank);
    const axis = perm.map((from) => (from < 0 ? from + rank : from)).indexOf(x.axis);
    return axis < 0 ? giveUp(call, x) : { axis, ids: x.ids };
  },
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const perm = permutation(call.attributes.perm, dims.length);
    if ([...perm].sort((a, b) => a - b).some((axis, index) => axis !== index) || perm.length !== dims.length) {
      call.fail(`perm [${perm}] is not a permutation of the dimensions of ${formatShape(dims)}`);
    }
    return [{ dtype, dims: perm.map((axis) => dims[axis] as number) }];
  },
  float: (call) => {
    const x = required(call.inputs, 0);
    return transpose(call.tape, x, permutation(call.attributes.perm, x.dims.length));
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    const strides = stridesOf(input.dims);
    const perm = permutation(call.attributes.perm, dims.length);
    const offsets = offsetsOf(
      dims,
      perm.map((axis) => strides[axis] as number),
    );
    return [take(input, offsets, dims)];
  },
});

function permutation(perm: readonly number[] | undefined, rank: number): readonly number[] {
  return perm ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}
