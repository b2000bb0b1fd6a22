// The integer interpreter as processors without VNNI compute: pairs of products saturate, unless the weights' range is
// reduced.

import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { type IntegerOptions, integer } from '../../../lib/runtime/backends/integer.js';
import { compile } from '../../../lib/runtime/program.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

/** One image of ones through a convolution and a linear layer of ones: every pair of products is 2 · 255 · 127. */
function ones() {
  const b = new GraphBuilder('ones');
  const filled = (name: string, dims: number[]) =>
    b.initializer(name, floats(dims, new Float32Array(dims.reduce((a, c) => a * c)).fill(1)));
  const x = b.input('input', ['N', 4, 2, 2]);
  const conv = b.node('conv', 'Conv', [x, filled('w1', [6, 4, 1, 1])]);
  b.output(b.node('linear', 'Gemm', [b.node('flat', 'Flatten', [conv]), filled('w2', [24, 2])]));
  return b.build();
}

function outputs(options: IntegerOptions): number[] {
  const graph = ones();
  const program = compile(graph, integer(options));
  const input = floats([1, 4, 2, 2], new Float32Array(16).fill(1));
  const [value] = [...program.run({ input }, { bits: uniformPolicy(graph, 'W8A8') }).values()];
  const result = [...(value as { data: Float32Array }).data];
  program.dispose();
  return result;
}

describe('other processors', () => {
  const near = (actual: number[], expected: number) => {
    for (const value of actual) assert.ok(Math.abs(value - expected) < 1e-4 * expected, `${value}, not ${expected}`);
  };

  it('saturating16 cuts a pair of products of 255 and 127 to 32767, in convolutions and in linear layers', () => {
    const part = 32767 / (2 * 255 * 127);
    near(outputs({}), 4 * 24);
    near(outputs({ arithmetic: 'saturating16' }), 4 * 24 * part * part);
  });

  it('with the range reduced nothing saturates', () => {
    assert.deepEqual(outputs({ arithmetic: 'saturating16', reduceRange: true }), outputs({ reduceRange: true }));
    near(outputs({ reduceRange: true }), 4 * 24);
  });
});
