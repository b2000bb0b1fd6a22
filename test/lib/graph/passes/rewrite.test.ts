// A graph with other nodes keeps what these refer to and drops the rest.
import assert from 'node:assert/strict';
import { withNodes } from '../../../../lib/graph/passes/rewrite.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { graphOf, node, refuses } from '../../../support/graphs.js';

describe('withNodes', () => {
  const [w, v] = [floats([4], [1, 2, 3, 4]), floats([4], [5, 6, 7, 8])];
  const declared = (name: string) => [name, { name, dtype: 'float32' as const, dims: ['N', 4] }] as const;
  const graph = graphOf([node('a', ['x', 'w'], ['m'], 'Add'), node('b', ['m', 'v'], ['y'], 'Add')], {
    initializers: new Map([
      ['w', w],
      ['v', v],
    ]),
    values: new Map([declared('m'), declared('y')]),
  });

  it('drops initializers and declared shapes that nothing refers to', () => {
    const less = withNodes(graph, [node('b', ['x', 'v'], ['y'], 'Add')], graph.initializers);
    assert.deepEqual([...less.initializers.keys()], ['v']);
    assert.deepEqual([...less.values.keys()], ['y']);
    assert.equal(graph.initializers.size, 2);
  });

  it('keeps a constant that is an output, with the weights supplied', () => {
    const alone = withNodes(graph, [], new Map([['y', v]]));
    assert.equal(alone.initializers.get('y'), v);
    assert.equal(alone.nodes.length, 0);
  });

  it('refuses nodes that do not hold together', () => {
    refuses(() => withNodes(graph, [node('b', ['gone', 'v'], ['y'], 'Add')], graph.initializers), /nothing produces/);
  });
});
