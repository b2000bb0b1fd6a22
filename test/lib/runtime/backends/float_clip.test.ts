// A Clip done by the convolution before it: the same values and gradients as alone.

import assert from 'node:assert/strict';
import { Tape } from '../../../../lib/autograd/tape.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { float } from '../../../../lib/runtime/backends/float.js';
import { compile } from '../../../../lib/runtime/program.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';

function network() {
  const random = new Random(3);
  const b = new GraphBuilder('clipped');
  const x = b.input('x', ['N', 3, 6, 5]);
  const weights = [
    b.initializer('w', randomTensor(random, [8, 3, 3, 3])),
    b.initializer('b', randomTensor(random, [8])),
  ];
  const conv = b.node('conv', 'Conv', [x, ...weights], { attributes: { pads: [1, 1, 1, 1] } });
  const bounds = [b.initializer('low', floats([], [-1])), b.initializer('high', floats([], [2]))];
  b.output(b.node('clip', 'Clip', [conv, ...bounds]));
  return b.build();
}

function run(keep: 'all' | []) {
  const graph = network();
  const parameters = new Parameters(graph);
  const tape = new Tape({ memory: new Memory(), training: true, record: true });
  const x = randomTensor(new Random(4), [2, 3, 6, 5]);
  const output = compile(graph, float(), { keep }).run({ x }, { tape, parameters }).get('clip');
  assert.ok(output);
  const values = Float32Array.from(output.data);
  tape.backward(
    output,
    values.map((_, i) => Math.sin(i)),
  );
  return { values, gradients: Float32Array.from(parameters.gradients) };
}

describe('a clip after a convolution', () => {
  it('has the same values and gradients fused as alone', () => {
    const [fused, apart] = [run([]), run('all')];
    assert.deepEqual(fused.values, apart.values);
    assert.deepEqual(fused.gradients, apart.gradients);
    assert.ok(fused.values.includes(-1) && fused.values.includes(2), 'both bounds are met');
  });
});
