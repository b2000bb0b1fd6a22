// Values held in ranges: what is outside is clipped for every reader, what is inside keeps its bits.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { clipValues } from '../../../../lib/graph/passes/clip_values.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { refuses } from '../../../support/graphs.js';

describe('clipValues', () => {
  const b = new GraphBuilder('test');
  const x = b.input('x', ['N']);
  const negative = b.node('negative', 'Neg', [x]);
  b.output(b.node('sum', 'Add', [negative, b.node('relu', 'Relu', [negative])]));
  const graph = b.build();
  const input = floats([4], [-3, -0.1, 0.1, 3]);
  const run = (ranges: [string, [number, number]][]) =>
    runReference(clipValues(graph, new Map(ranges)).graph, { x: input }).get('sum')?.data;

  it('clips a result for all that read it', () => {
    // −x held in [−1, 2] is [2, 0.1, −0.1, −1]; to it comes its positive part.
    assert.deepEqual(run([['negative', [-1, 2]]]), Float32Array.of(4, 0.2, -0.1, -1));
  });

  it('clips inputs, and leaves outputs as they are', () => {
    assert.deepEqual(run([['x', [-1, 1]]]), Float32Array.of(2, 0.2, -0.1, -1));
    assert.deepEqual(run([['sum', [0, 1]]]), Float32Array.of(6, 0.2, -0.1, -3));
  });

  it('logs what it held, and changes nothing without ranges', () => {
    const { log } = clipValues(graph, new Map([['relu', [0, 6] as const]]));
    assert.deepEqual(log, [{ pass: 'clipValues', node: 'relu/clip', what: '"relu" clipped to 0 … 6' }]);
    assert.equal(clipValues(graph, new Map()).graph, graph);
  });

  it('refuses other names, and ranges that are empty or infinite', () => {
    refuses(() => clipValues(graph, new Map([['z', [0, 1] as const]])), /has no input or result of a node "z"/);
    for (const range of [
      [1, 0],
      [0, Number.POSITIVE_INFINITY],
      [Number.NaN, 1],
    ] as const) {
      refuses(() => clipValues(graph, new Map([['relu', range]])), /value "relu": expected finite bounds in order/);
    }
  });
});
