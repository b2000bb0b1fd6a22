// The view of a node as a product, against the reference: x · wᵀ by the matrix of the view is what the node computes.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import type { AttributeValue } from '../../../lib/graph/graph.js';
import { biasOf, channelOf, productView, weightMatrix } from '../../../lib/graph/product.js';
import { runReference } from '../../../lib/graph/reference.js';
import { Random } from '../../../lib/tensor/random.js';
import { randomTensor } from '../../support/onnxruntime.js';

interface Case {
  readonly what: string;
  readonly operator: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly c?: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

// Every input is one row of the product, so that the output is its channels.
const CASES: readonly Case[] = [
  { what: 'Conv', operator: 'Conv', x: [1, 3, 2, 4], w: [5, 3, 2, 4], c: [5] },
  { what: 'Conv over a length', operator: 'Conv', x: [1, 3, 4], w: [5, 3, 4] },
  { what: 'Gemm', operator: 'Gemm', x: [1, 7], w: [7, 5], c: [5] },
  { what: 'Gemm, transposed', operator: 'Gemm', x: [7, 1], w: [5, 7], attributes: { transA: 1, transB: 1 } },
  { what: 'Gemm, scaled', operator: 'Gemm', x: [1, 7], w: [7, 5], c: [], attributes: { alpha: 0.5, beta: -2 } },
  { what: 'MatMul', operator: 'MatMul', x: [1, 7], w: [7, 5] },
  { what: 'MatMul, one of a batch', operator: 'MatMul', x: [1, 1, 7], w: [1, 7, 5] },
  { what: 'MatMul by a vector', operator: 'MatMul', x: [1, 7], w: [7] },
];
/** Sums of at most 24 products of numbers around 1, in float32 and in float64. */
const TOLERANCE = 24 * 2 ** -23 * 8;

function graphOf({ operator, x, w, c, attributes = {} }: Case) {
  const random = new Random(1);
  const b = new GraphBuilder('one');
  const weights = [b.initializer('w', randomTensor(random, w))];
  if (c) weights.push(b.initializer('c', randomTensor(random, c)));
  b.output(b.node('y', operator, [b.input('x', x), ...weights], { attributes }));
  return { graph: b.build(), feed: randomTensor(random, x) };
}

describe('a node as a product', () => {
  for (const each of CASES) {
    it(`${each.what}: [channels, depth], bias and axes`, () => {
      const { graph, feed } = graphOf(each);
      const view = productView(graph, graph.node('y'));
      assert.ok(view);
      const w = graph.initializers.get('w')?.data as Float32Array;
      const matrix = weightMatrix(view, w);
      const bias = biasOf(graph, view);
      const y = runReference(graph, { x: feed }).get('y')?.data as Float32Array;
      assert.equal(y.length, view.channels);
      assert.equal(view.channels * view.depth, w.length);
      // Windows lie outside channels in the matrix, inside them in the input.
      const places = view.depth / view.inChannels;
      const row = Array.from({ length: view.depth }, (_, k) =>
        Number(feed.data[(k % view.inChannels) * places + Math.floor(k / view.inChannels)]),
      );
      for (let n = 0; n < view.channels; n++) {
        const sum = row.reduce((s, value, k) => s + value * (matrix[n * view.depth + k] as number), bias?.[n] ?? 0);
        assert.ok(Math.abs(sum - (y[n] as number)) <= TOLERANCE, `channel ${n}: ${sum}, ${y[n]}`);
      }
      const channel = channelOf(view);
      const largest = (values: Iterable<number>) => Math.max(...[...values].map(Math.abs));
      for (let n = 0; n < view.channels; n++) {
        const rows = matrix.subarray(n * view.depth, (n + 1) * view.depth);
        assert.equal(largest(rows), Math.fround(view.alpha * largest(w.filter((_, i) => channel(i) === n))));
      }
    });
  }

  it('an addend of another shape than a number for each channel is no bias', () => {
    const { graph } = graphOf({ what: '', operator: 'Gemm', x: [5, 7], w: [7, 5], c: [5, 1] });
    const view = productView(graph, graph.node('y'));
    assert.ok(view);
    assert.equal(view.addend, 'c');
    assert.equal(biasOf(graph, view), undefined);
  });

  it('operators without a weight, and weights that are computed, are none', () => {
    const b = new GraphBuilder('none');
    const x = b.input('x', [2, 2]);
    b.output(b.node('product', 'MatMul', [x, b.node('relu', 'Relu', [x])]));
    const graph = b.build();
    for (const node of graph.nodes) assert.equal(productView(graph, node), undefined);
  });
});
