// Two products with a ReLU between them, and vectors to run it on: the smallest network with a layer before its logits.
import { type Samples, tensorSamples } from '../../lib/assess/samples.js';
import { GraphBuilder } from '../../lib/graph/builder.js';
import type { Graph } from '../../lib/graph/graph.js';
import { floats } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor } from './onnxruntime.js';

export const INPUTS = 6;
export const HIDDEN = 8;
export const CLASSES = 3;

/** x [N, 6] → `first` [N, 8] → ReLU → `logits` [N, 3]. */
export function twoProducts(seed = 1): Graph {
  const random = new Random(seed);
  const b = new GraphBuilder('two products');
  const x = b.input('x', ['N', INPUTS]);
  const first = b.node('first', 'MatMul', [x, b.initializer('w1', randomTensor(random, [INPUTS, HIDDEN]))]);
  const hidden = b.node('relu', 'Relu', [first]);
  b.output(b.node('logits', 'MatMul', [hidden, b.initializer('w2', randomTensor(random, [HIDDEN, CLASSES]))]));
  return b.build();
}

/** x [N, 2] · w [2, K] → logits; `weights`: the rows of w. */
export function oneProduct(...weights: readonly (readonly [number, ...number[]])[]): Graph {
  const b = new GraphBuilder('one product');
  const x = b.input('x', ['N', weights.length]);
  const dims = [weights.length, weights[0]?.length ?? 0];
  b.output(b.node('logits', 'MatMul', [x, b.initializer('w', floats(dims, weights.flat()))]));
  return b.build();
}

/** Normal vectors with labels drawn. */
export function vectors(graph: Graph, count: number, seed = 2): Samples {
  const random = new Random(seed);
  const labels = Int32Array.from({ length: count }, () => random.integer(CLASSES));
  return tensorSamples(graph, randomTensor(random, [count, INPUTS]), labels);
}
