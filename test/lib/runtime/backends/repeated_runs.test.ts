// Runs that repeat: from the third on they are native calls only, with the bits of the first and nothing shared.

import assert from 'node:assert/strict';
import { toRows } from '../../../../lib/autograd/ops/layout.js';
import { crossEntropy } from '../../../../lib/autograd/ops/loss.js';
import { Tape, type Value } from '../../../../lib/autograd/tape.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { partOf, sampleSize } from '../../../../lib/graph/samplewise.js';
import { buildModel } from '../../../../lib/models/index.js';
import { type FloatUse, float, type Substitution } from '../../../../lib/runtime/backends/float.js';
import { compile } from '../../../../lib/runtime/program.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';

/** Sums of float32 in another order: the residual added in the convolution's accumulators or after. */
const TOLERANCE = 1e-5;

/** Runs a program again and again; each result as it was when it came, and the value itself. */
function runner(graph: Graph, parameters = new Parameters(graph), options: Partial<FloatUse> = {}) {
  const program = compile(graph, float());
  const memory = new Memory();
  const tape = new Tape({ memory, training: false, record: false });
  return (seed: number, count = 2) => {
    const [input, output] = [graph.inputs[0], graph.outputs[0]];
    const dims = [count, ...((input?.dims ?? []).slice(1) as number[])];
    const { data } = randomTensor(new Random(seed), dims);
    const layout = dims.length === 4 ? 'channelsLast' : 'rows';
    const x = tape.constant(data as Float32Array, dims, layout);
    const value = program
      .run({ [input?.name ?? '']: x }, { tape, parameters, ...options })
      .get(output?.name ?? '') as Value;
    return { value, copy: value.data.slice() };
  };
}

describe('runs that repeat', () => {
  for (const name of ['mlp', 'convnet2', 'resnet8', 'mobilenetv2-cifar'] as const) {
    it(`${name}, folded: the bits of a first run, whatever ran before`, () => {
      const { graph } = simplify(buildModel(name, { seed: 1 }));
      const run = runner(graph);
      const [first, , third, fourth] = [1, 2, 3, 1].map((seed) => run(seed).copy);
      assert.deepEqual(third, runner(graph)(3).copy);
      assert.deepEqual(fourth, first);
    });
  }

  it('compute batches too large for the cache in parts, the first of them too', () => {
    const { graph } = simplify(buildModel('mobilenetv2-cifar', { seed: 1 }));
    const size = sampleSize(graph);
    assert.ok(size && partOf(12, size) < 12);
    const run = runner(graph);
    const [first, , third] = [1, 2, 1].map((seed) => run(seed, 12).copy);
    assert.ok(first);
    assert.deepEqual(third, first);
    // A run that is looked into computes the batch as a whole.
    const whole = runner(graph, new Parameters(graph), { inspect: () => {} })(1, 12).copy;
    const largest = whole.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    whole.forEach((value, i) => {
      assert.ok(Math.abs(value - (first[i] as number)) <= TOLERANCE * largest);
    });
  });

  it('leave results of earlier runs alone', () => {
    const run = runner(buildModel('resnet8', { seed: 1 }));
    const results = [1, 2, 3, 4].map((seed) => run(seed));
    for (const { value, copy } of results) assert.deepEqual(value.data, copy);
  });

  it('see that weights changed, and other shapes', () => {
    const graph = buildModel('convnet2', { seed: 1 });
    const parameters = new Parameters(graph);
    const run = runner(graph, parameters);
    for (let i = 0; i < 3; i++) run(1);
    assert.equal(run(1, 3).value.dims[0], 3);
    for (let i = 0; i < 3; i++) run(1);
    parameters.values.forEach((value, i) => {
      parameters.values[i] = 2 * value;
    });
    parameters.changed();
    assert.deepEqual(run(1).copy, runner(parameters.toGraph(graph))(1).copy);
  });

  it('refuse an input of fewer dimensions as a first run does', () => {
    const b = new GraphBuilder('relu');
    b.output(b.node('relu', 'Relu', [b.input('x', ['N', 3])]));
    const graph = b.build();
    const [program, parameters] = [compile(graph, float()), new Parameters(graph)];
    const tape = new Tape({ memory: new Memory(), training: false, record: false });
    const run = (...dims: number[]) => {
      const x = tape.constant(new Float32Array(dims.reduce((size, dim) => size * dim, 1)), dims, 'rows');
      return program.run({ x }, { tape, parameters });
    };
    for (let i = 0; i < 3; i++) run(2, 3);
    assert.throws(() => run(2), /x/);
  });

  it('of operators without native code are computed by the reference each time', () => {
    const b = new GraphBuilder('cosine');
    b.output(b.node('sum', 'Add', [b.node('cos', 'Cos', [b.input('x', ['N', 3])]), 'x']));
    const run = runner(b.build());
    for (const seed of [1, 2, 3, 4]) {
      const { data } = randomTensor(new Random(seed), [2, 3]);
      const wanted = Array.from(data as Float32Array, (x) => Math.cos(x) + x);
      run(seed).copy.forEach((value, i) => {
        assert.ok(Math.abs(value - (wanted[i] as number)) < TOLERANCE);
      });
    }
  });
});

describe('the order of a run', () => {
  it('is that of the graph for nodes that can be quantized, whichever of them adds a residual', () => {
    const { graph } = simplify(buildModel('resnet8', { seed: 1 }));
    const seen: string[] = [];
    const substitute: Substitution = (node, inputs) => {
      seen.push(node.name);
      return inputs;
    };
    runner(graph, new Parameters(graph), { substitute })(1);
    assert.deepEqual(
      seen,
      quantizableNodes(graph).map(({ name }) => name),
    );
  });
});

describe('the parts of a batch', () => {
  const node = (build: (b: GraphBuilder, x: string) => string) => {
    const b = new GraphBuilder('one');
    b.output(build(b, b.input('x', ['N', 4])));
    return sampleSize(b.build());
  };
  const weight = (dims: number[]) => randomTensor(new Random(1), dims);

  it('are known where every sample is computed separately', () => {
    assert.ok(node((b, x) => b.node('a', 'Relu', [x])));
    assert.ok(node((b, x) => b.node('a', 'Add', [x, b.initializer('w', weight([4]))])));
    assert.ok(node((b, x) => b.node('a', 'Gemm', [x, b.initializer('w', weight([4, 3]))])));
    assert.ok(sampleSize(buildModel('resnet8')));
  });

  it('are refused where one sample may see another, or a weight has a row for each', () => {
    assert.equal(
      node((b, x) => b.node('a', 'Add', [x, b.initializer('w', weight([1, 4]))])),
      undefined,
    );
    assert.equal(
      node((b, x) => b.node('a', 'Softmax', [x], { attributes: { axis: 0 } })),
      undefined,
    );
    assert.equal(
      node((b, x) => b.node('a', 'Gemm', [b.initializer('w', weight([4, 4])), x], { attributes: { transB: 1 } })),
      undefined,
    );
  });

  it('divide the batch, and are whole where weights are larger than they', () => {
    const size = { largest: 2 ** 21, all: 2 ** 22, weights: 2 ** 21 };
    assert.equal(partOf(6, size), 1);
    assert.equal(partOf(6, { ...size, largest: 0.75 * 2 ** 20 }), 3);
    assert.equal(partOf(7, { ...size, largest: 0.75 * 2 ** 20 }), 1);
    assert.equal(partOf(6, { ...size, weights: 2 ** 30 }), 6);
    assert.equal(partOf(6, { ...size, largest: 2 ** 10 }), 6);
  });
});

describe('a sum after a convolution', () => {
  /** Loss and gradients of a folded network; the sums are done by the convolutions, or apart. */
  function step(keep: 'all' | []) {
    const { graph } = simplify(buildModel('resnet8', { seed: 2 }));
    const parameters = new Parameters(graph);
    const tape = new Tape({ memory: new Memory(), training: false, record: true });
    const x = randomTensor(new Random(4), [4, 1, 28, 28]);
    const logits = compile(graph, float(), { keep }).run({ [graph.inputs[0]?.name ?? '']: x }, { tape, parameters });
    const rows = toRows(tape, logits.get(graph.outputs[0]?.name ?? '') as Value);
    const { loss, gradient } = crossEntropy(tape, rows, Int32Array.from([3, 1, 4, 1]), { gradient: true });
    tape.backward(rows, gradient as Float32Array);
    return { loss, gradients: parameters.gradients };
  }

  it('has the same gradients fused as alone', () => {
    const [fused, apart] = [step([]), step('all')];
    assert.ok(Math.abs(fused.loss - apart.loss) < TOLERANCE);
    const largest = apart.gradients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    apart.gradients.forEach((value, i) => {
      assert.ok(Math.abs(value - (fused.gradients[i] as number)) < TOLERANCE * largest);
    });
  });
});
