// Simplification: each pass can be switched off.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';

describe('simplify', () => {
  it('leaves constants where folding them is switched off', () => {
    const builder = new GraphBuilder('test');
    const one = builder.node('one', 'Constant', [], { attributes: { value: floats([4], [1, 1, 1, 1]) } });
    const sum = builder.node('sum', 'Add', [builder.initializer('w', floats([4], [1, 2, 3, 4])), one]);
    builder.output(builder.node('y', 'Mul', [builder.input('x', ['N', 4]), sum]));
    const graph = builder.build();
    assert.deepEqual(simplify(graph, { foldConstants: false }), { graph, log: [] });
    assert.deepEqual(
      simplify(graph).graph.nodes.map(({ name }) => name),
      ['y'],
    );
  });

  it('leaves batch norms where folding them is switched off', () => {
    const builder = new GraphBuilder('test');
    const w = builder.initializer('w', floats([2, 2, 1, 1], [1, 2, 3, 4]));
    const conv = builder.node('conv', 'Conv', [builder.input('x', [1, 2, 4, 4]), w]);
    const parameters = ['scale', 'bias', 'mean', 'var'].map((what) => builder.initializer(what, floats([2], [1, 2])));
    builder.output(builder.node('norm', 'BatchNormalization', [conv, ...parameters]));
    const graph = builder.build();
    assert.equal(simplify(graph, { foldBatchNormalization: false }).graph, graph);
    assert.equal(simplify(graph).log.length, 1);
  });
});
