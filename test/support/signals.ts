// A small network of signals: convolutions along one axis.
import { GraphBuilder } from '../../lib/graph/builder.js';
import type { Graph } from '../../lib/graph/graph.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor } from './onnxruntime.js';

/** [N, 4, 20] → logits [N, 3] */
export function signals(): Graph {
  const random = new Random(12);
  const b = new GraphBuilder('signals');
  const weight = (name: string, dims: number[]) => b.initializer(name, randomTensor(random.split(name), dims));
  const x = b.input('input', ['N', 4, 20]);
  const first = b.node('first', 'Conv', [x, weight('w1', [6, 4, 5]), weight('b1', [6])], {
    attributes: { strides: [2], pads: [2, 1] },
  });
  const second = b.node('second', 'Conv', [b.node('relu', 'Relu', [first]), weight('w2', [6, 3, 3])], {
    attributes: { group: 2, dilations: [2] },
  });
  b.output(b.node('logits', 'Gemm', [b.node('flat', 'Flatten', [second]), weight('w3', [36, 3])]));
  return b.build();
}
