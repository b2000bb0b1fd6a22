// A graph in figures: parameters and multiply-accumulates.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { summarize } from '../../../lib/graph/printer.js';
import { zeros } from '../../../lib/tensor/host_tensor.js';

describe('summary of a graph', () => {
  it('counts a shared weight once, and a batch as one sample', () => {
    const builder = new GraphBuilder('shared');
    const w = builder.initializer('w', zeros('float32', [4, 4]));
    const first = builder.node('a', 'MatMul', [builder.input('x', [32, 4]), w]);
    builder.output(builder.node('b', 'MatMul', [first, w]));
    const { nodes, parameters } = summarize(builder.build());
    assert.equal(parameters, 16);
    assert.deepEqual(
      nodes.map(({ macs }) => macs),
      [512, 512], // a batch of known size is not one sample: it counts in full
    );
  });
});
