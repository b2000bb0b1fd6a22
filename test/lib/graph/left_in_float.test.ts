// Nodes with weights that no policy gives bits: named, with their part of the work and the reason.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { leftInFloat } from '../../../lib/graph/left_in_float.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

describe('nodes left in float32', () => {
  it('are named with their share of the multiply-accumulates and the reason; products of activations are not', () => {
    const builder = new GraphBuilder('mixed');
    const x = builder.input('x', ['N', 2, 4]);
    const ones = (name: string, dims: number[]) =>
      builder.initializer(name, floats(dims, new Float32Array(dims.reduce((a, b) => a * b)).fill(1)));
    const first = builder.node('first', 'MatMul', [x, ones('a', [4, 4])]);
    const stacked = builder.node('stacked', 'MatMul', [first, ones('b', [2, 4, 4])]);
    const turned = builder.node('turned', 'Transpose', [stacked], { attributes: { perm: [0, 2, 1] } });
    const attention = builder.node('attention', 'MatMul', [stacked, turned]);
    builder.output(builder.node('left', 'MatMul', [ones('c', [3, 2]), attention]));
    builder.output(builder.node('deconvolved', 'ConvTranspose', [x, ones('d', [2, 1, 1])]));
    assert.deepEqual(leftInFloat(builder.build()), [
      {
        ...{ node: 'stacked', operator: 'MatMul', macs: 64, share: 0.4 },
        why: 'there are no integer kernels for its weight of [2,4,4]',
      },
      {
        node: 'left',
        operator: 'MatMul',
        macs: 24,
        share: 0.15,
        why: 'its weight, input 1, is computed when it runs',
      },
      {
        ...{ node: 'deconvolved', operator: 'ConvTranspose', macs: 8, share: 0.05 },
        why: 'there are no integer kernels for ConvTranspose',
      },
    ]);
  });
});
