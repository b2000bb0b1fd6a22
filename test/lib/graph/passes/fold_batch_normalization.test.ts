// What batch norms do not fold into; that they fold, and to what, passes.test.ts and the networks' tests have.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { AttributeValue } from '../../../../lib/graph/graph.js';
import { foldBatchNormalization } from '../../../../lib/graph/passes/fold_batch_normalization.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';

function names(operator: string, attributes: Readonly<Record<string, AttributeValue>>): string[] {
  const random = new Random(2);
  const b = new GraphBuilder('fold');
  const w = b.initializer('w', randomTensor(random, [4, 4]));
  const product = b.node('fc', operator, [b.input('x', ['N', 4]), w], { attributes });
  const parameters = ['scale', 'shift', 'mean'].map((name) => b.initializer(name, randomTensor(random, [4])));
  const variance = b.initializer('variance', floats([4], [1, 2, 3, 4]));
  b.output(b.node('norm', 'BatchNormalization', [product, ...parameters, variance]));
  return foldBatchNormalization(b.build()).graph.nodes.map(({ name }) => name);
}

describe('batch-norm folding', () => {
  it('takes products whose weight has a row for each channel, with a bias and no scales', () => {
    assert.deepEqual(names('Gemm', { transB: 1 }), ['fc']);
    for (const attributes of [{}, { transB: 1, alpha: 2 }, { transB: 1, beta: 2 }]) {
      assert.deepEqual(names('Gemm', attributes), ['fc', 'norm']);
    }
    assert.deepEqual(names('MatMul', {}), ['fc', 'norm']);
  });
});
