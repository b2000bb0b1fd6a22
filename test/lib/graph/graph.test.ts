// Graphs that do not hold together are refused with the node's name.
import assert from 'node:assert/strict';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { graphOf, node, refuses } from '../../support/graphs.js';

describe('a graph', () => {
  it('knows producers, consumers and nodes by name', () => {
    const graph = graphOf([node('a', ['x'], ['v']), node('b', ['v', 'v'], ['y'], 'Add')]);
    assert.equal(graph.producer('v')?.name, 'a');
    assert.equal(graph.producer('x'), undefined);
    assert.deepEqual(
      graph.consumers('v').map(({ name }) => name),
      ['b'],
    );
    assert.equal(graph.node('b').operator, 'Add');
    refuses(() => graph.node('c'), /g: has no node "c"/);
  });

  it('is refused when nodes are out of order, circular or reading what nothing produces', () => {
    refuses(
      () => graphOf([node('b', ['v'], ['y']), node('a', ['x'], ['v'])]),
      /^Relu \(b\): its input "v" is produced later, by Relu \(a\): nodes are not in topological order/,
    );
    refuses(() => graphOf([node('a', ['y'], ['y'])]), /^Relu \(a\): its input "y" is also its output/);
    refuses(() => graphOf([node('a', ['z'], ['y'])]), /^Relu \(a\): nothing produces its input "z"/);
    refuses(() => graphOf([node('a', ['x'], ['v'])]), /^graph outputs: nothing produces "y"/);
  });

  it('is refused when a name is used twice or missing', () => {
    refuses(() => graphOf([node('a', ['x'], ['x'])]), /^Relu \(a\): value "x" is defined twice/);
    refuses(() => graphOf([node('a', ['x'], ['v']), node('a', ['v'], ['y'])]), /another node has the same name/);
    refuses(() => graphOf([node('', ['x'], ['y'])]), /the node has no name/);
    refuses(() => graphOf([], { initializers: new Map([['x', floats([], [1])]]) }), /^initializers: value "x"/);
  });
});
