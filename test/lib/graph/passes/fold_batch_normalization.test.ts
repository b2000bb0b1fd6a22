// Folding batch norm: the same function with fewer nodes, a log, and what it leaves alone.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { AttributeValue, Graph } from '../../../../lib/graph/graph.js';
import { foldBatchNormalization } from '../../../../lib/graph/passes/fold_batch_normalization.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { floats, type HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor, relativeDifference } from '../../../support/onnxruntime.js';

/**
 * Folded weights are rounded once more to float32 (relative 2^−24 each); sums of some 30 products of normal numbers grow
 * that by cancellation a little, so 2^−24 · 64.
 */
const MAX_DIFFERENCE = 2 ** -18;

const operators = (graph: Graph) => graph.nodes.map(({ operator }) => operator);
const output = (graph: Graph, x: HostTensor) =>
  runReference(graph, { x }).get(graph.outputs[0]?.name ?? '') as HostTensor;

function addNorm(builder: GraphBuilder, random: Random, name: string, value: string, channels: number): string {
  const numbers = (low: number) =>
    floats(
      [channels],
      Float32Array.from({ length: channels }, () => random.uniform(low, 2)),
    );
  const parameters = ['scale', 'bias', 'mean', 'var'].map((what, index) =>
    builder.initializer(`${name}.${what}`, numbers(index === 3 ? 0.1 : -2)),
  );
  return builder.node(name, 'BatchNormalization', [value, ...parameters], { attributes: { epsilon: 1e-3 } });
}

function names(operator: string, attributes: Readonly<Record<string, AttributeValue>>): string[] {
  const random = new Random(2);
  const b = new GraphBuilder('fold');
  const w = b.initializer('w', randomTensor(random, [4, 4]));
  const product = b.node('fc', operator, [b.input('x', ['N', 4]), w], { attributes });
  const parameters = ['scale', 'shift', 'mean'].map((name) => b.initializer(name, randomTensor(random, [4])));
  const variance = b.initializer('variance', floats([4], [1, 2, 3, 4]));
  b.output(b.node('norm', 'BatchNormalization', [product, ...parameters, variance]));
  return foldBatchNormalization(b.build()).graph.nodes.map(({ name }) => name);
}

describe('folding batch norm', () => {
  const random = new Random(1);

  it('into a convolution and a linear layer gives the same function and keeps names', () => {
    const builder = new GraphBuilder('test');
    const x = builder.input('x', ['N', 3, 6, 6]);
    const w = builder.initializer('conv.weight', randomTensor(random, [4, 3, 3, 3]));
    const b = builder.initializer('conv.bias', randomTensor(random, [4]));
    const norm = addNorm(builder, random, 'norm1', builder.node('conv', 'Conv', [x, w, b]), 4);
    const flat = builder.node('flat', 'Flatten', [builder.node('relu', 'Relu', [norm])]);
    const fc = builder.initializer('fc.weight', randomTensor(random, [5, 64]));
    const linear = builder.node('fc', 'Gemm', [flat, fc], { attributes: { transB: 1 } });
    builder.output(addNorm(builder, random, 'norm2', linear, 5));
    const graph = builder.build();
    const { graph: folded, log } = foldBatchNormalization(graph);
    assert.deepEqual(operators(folded), ['Conv', 'Relu', 'Flatten', 'Gemm']);
    assert.deepEqual([...folded.initializers.keys()], ['conv.weight', 'conv.bias', 'fc.weight', 'fc.bias']);
    assert.deepEqual(
      log.map(({ node, what }) => [node, what]),
      [
        ['norm1', 'BatchNormalization (norm1) folded into Conv (conv)'],
        ['norm2', 'BatchNormalization (norm2) folded into Gemm (fc)'],
      ],
    );
    const input = randomTensor(random, [2, 3, 6, 6]);
    assert.ok(relativeDifference(output(folded, input), output(graph, input)) <= MAX_DIFFERENCE);
    assert.deepEqual(graph.initializers.get('conv.weight'), builder.build().initializers.get('conv.weight'));
  });

  it('of two convolutions that share a weight gives each its own', () => {
    const builder = new GraphBuilder('test');
    const x = builder.input('x', [1, 2, 4, 4]);
    const w = builder.initializer('w', randomTensor(random, [2, 2, 1, 1]));
    const norms = ['a', 'b'].map((name) =>
      addNorm(builder, random, `${name}.norm`, builder.node(name, 'Conv', [x, w]), 2),
    );
    builder.output(builder.node('sum', 'Add', norms));
    const graph = builder.build();
    const { graph: folded } = foldBatchNormalization(graph);
    assert.deepEqual(operators(folded), ['Conv', 'Conv', 'Add']);
    const input = randomTensor(random, [1, 2, 4, 4]);
    assert.ok(relativeDifference(output(folded, input), output(graph, input)) <= MAX_DIFFERENCE);
  });

  it('leaves alone what another node reads, what is an output, training, and norms after something else', () => {
    const cases: ((builder: GraphBuilder, conv: string) => void)[] = [
      (builder, conv) => builder.output(builder.node('sum', 'Add', [conv, addNorm(builder, random, 'n', conv, 2)])),
      (builder, conv) => {
        builder.output(addNorm(builder, random, 'n', conv, 2));
        builder.output(conv);
      },
      (builder, conv) => builder.output(addNorm(builder, random, 'n', builder.node('r', 'Relu', [conv]), 2)),
    ];
    for (const finish of cases) {
      const builder = new GraphBuilder('test');
      const w = builder.initializer('w', randomTensor(random, [2, 2, 1, 1]));
      finish(builder, builder.node('conv', 'Conv', [builder.input('x', [1, 2, 4, 4]), w]));
      const graph = builder.build();
      assert.deepEqual(foldBatchNormalization(graph), { graph, log: [] });
    }
  });

  it('takes products whose weight has a row for each channel, with a bias and no scales', () => {
    assert.deepEqual(names('Gemm', { transB: 1 }), ['fc']);
    for (const attributes of [{}, { transB: 1, alpha: 2 }, { transB: 1, beta: 2 }]) {
      assert.deepEqual(names('Gemm', attributes), ['fc', 'norm']);
    }
    assert.deepEqual(names('MatMul', {}), ['fc', 'norm']);
  });
});
