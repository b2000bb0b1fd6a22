// What nodes are to the steps before them.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { boundsOf, isActivation, isAddition, isRectifier } from '../../../lib/graph/fusion.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

describe('fusion', () => {
  const b = new GraphBuilder('fusion');
  const x = b.input('x', ['N', 3]);
  const [low, high] = [b.initializer('low', floats([], [-1])), b.initializer('high', floats([], [2]))];
  b.node('add', 'Add', [x, x]);
  b.node('relu', 'Relu', [x]);
  b.node('clip', 'Clip', [x, low, high]);
  b.node('open', 'Clip', [x, '', high]);
  b.node('empty', 'Clip', [x, high, low]);
  b.node('computed', 'Clip', [x, b.node('least', 'ReduceMin', [x], { attributes: { keepdims: 0 } })]);
  b.output(b.node('sigmoid', 'Sigmoid', [x]));
  const graph = b.build();
  const node = (name: string) => graph.node(name);

  it('an addition, a rectifier, an activation', () => {
    const names = graph.nodes.map(({ name }) => name);
    const those = (is: (of: ReturnType<typeof node>) => boolean) => names.filter((name) => is(node(name)));
    assert.deepEqual(those(isAddition), ['add']);
    assert.deepEqual(those(isRectifier), ['relu']);
    assert.deepEqual(those(isActivation), ['relu', 'clip', 'open', 'empty', 'computed']);
  });

  it('bounds that are constants and hold something', () => {
    assert.deepEqual(boundsOf(graph, node('relu')), [0, Number.POSITIVE_INFINITY]);
    assert.deepEqual(boundsOf(graph, node('clip')), [-1, 2]);
    assert.deepEqual(boundsOf(graph, node('open')), [-3.4028234663852886e38, 2]);
    for (const name of ['empty', 'computed', 'add', 'sigmoid']) assert.equal(boundsOf(graph, node(name)), undefined);
  });
});
