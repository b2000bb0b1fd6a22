// What a network learns, in one array: places, versions, values on a tape, and the way back to a graph.
import assert from 'node:assert/strict';
import { Tape } from '../../../lib/autograd/tape.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { Parameters } from '../../../lib/graph/parameters.js';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../lib/tensor/memory.js';
import { refuses } from '../../support/graphs.js';

/** Floats of a cache line. */
const LINE = 16;

function network() {
  const b = new GraphBuilder('test');
  const w = b.initializer('w', floats([3, 2, 1, 1], [1, 2, 3, 4, 5, 6]));
  const conv = b.node('conv', 'Conv', [b.input('x', ['N', 2, 4, 4]), w]);
  const norm = ['scale', 'bias', 'mean', 'var'].map((name) => b.initializer(name, floats([3], [1, 2, 3])));
  const low = b.initializer('low', floats([], [0]));
  b.output(b.node('clip', 'Clip', [b.node('norm', 'BatchNormalization', [conv, ...norm]), low]));
  return b.build();
}

describe('Parameters', () => {
  it('holds weights in one array, each on a cache line, and statistics beside them', () => {
    const parameters = new Parameters(network());
    assert.deepEqual(
      parameters.learned.map(({ name, offset }) => [name, offset]),
      [
        ['w', 0],
        ['scale', LINE],
        ['bias', 2 * LINE],
      ],
    );
    assert.deepEqual(
      parameters.measured.map(({ name, gradient }) => [name, gradient]),
      [
        ['mean', undefined],
        ['var', undefined],
      ],
    );
    assert.equal(parameters.count, 6 + 3 + 3);
    assert.equal(parameters.values.length, 3 * LINE);
    assert.deepEqual([...parameters.values.subarray(0, 8)], [1, 2, 3, 4, 5, 6, 0, 0]);
    assert.equal(parameters.get('low'), undefined);
  });

  it('gives a tape the same values until they change, with gradients in the other array', () => {
    const parameters = new Parameters(network());
    const tape = new Tape({ memory: new Memory(), training: true, record: true });
    const first = parameters.on(tape);
    assert.equal(parameters.on(tape), first);
    assert.equal(first.get('w')?.gradientTarget?.buffer, parameters.gradients.buffer);
    assert.equal(first.get('mean')?.needsGradient, false);
    const { version } = parameters;
    parameters.changed();
    assert.notEqual(parameters.version, version);
    assert.notEqual(parameters.on(tape), first);
  });

  it('goes back to a graph, as a copy', () => {
    const graph = network();
    const parameters = new Parameters(graph);
    assert.deepEqual(parameters.toGraph(graph).initializers, graph.initializers);
    parameters.get('w')?.data.fill(7);
    const changed = parameters.toGraph(graph);
    parameters.get('w')?.data.fill(8);
    assert.deepEqual(changed.initializers.get('w')?.data, new Float32Array(6).fill(7));
    assert.deepEqual(graph.initializers.get('w')?.data, Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it('refuses what is a setting of one node and a weight of another', () => {
    const b = new GraphBuilder('test');
    const w = b.initializer('w', floats([2], [1, 1]));
    const x = b.node('scaled', 'Mul', [b.input('x', ['N', 2, 4]), b.initializer('s', floats([1], [1]))]);
    const norm = b.node('norm', 'BatchNormalization', [
      x,
      ...['a', 'b'].map((n) => b.initializer(n, floats([2], [1, 1]))),
      w,
      w,
    ]);
    b.output(
      b.node('sum', 'Gemm', [
        b.node('flat', 'Flatten', [norm]),
        b.initializer('fc', floats([8, 2], new Float32Array(16))),
        w,
      ]),
    );
    refuses(() => new Parameters(b.build()), /^w: is a setting of one node and a weight of another/);
  });
});
