// Open dimensions of inputs fixed by who loads the file, and what an input cannot have.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { inferShapes } from '../../../lib/graph/infer.js';
import { pinInputs } from '../../../lib/graph/pin_inputs.js';
import { refuses } from '../../support/graphs.js';

describe('pinInputs', () => {
  const b = new GraphBuilder('test');
  b.output(b.node('y', 'Relu', [b.input('x', ['N', 3, 'H', 8])]));
  const graph = b.build();

  it('fixes what is named and leaves the rest open', () => {
    const pinned = pinInputs(graph, { x: ['N', 3, 5, 8] });
    assert.deepEqual(pinned.inputs[0]?.dims, ['N', 3, 5, 8]);
    assert.deepEqual(inferShapes(pinned).get('y')?.dims, ['N', 3, 5, 8]);
    assert.deepEqual(graph.inputs[0]?.dims, ['N', 3, 'H', 8]);
    assert.deepEqual(pinInputs(graph, {}).inputs, graph.inputs);
  });

  it('refuses inputs that are not there and shapes that they cannot have', () => {
    refuses(() => pinInputs(graph, { z: [1] }), /input "z": expected one of x, received no such input/);
    for (const dims of [
      [1, 4, 5, 8],
      [1, 3, 5],
      [1, 3, -1, 8],
      [1, 3, 2.5, 8],
    ]) {
      refuses(() => pinInputs(graph, { x: dims }), /input "x": expected shape \[N,3,H,8\], received/);
    }
  });
});
