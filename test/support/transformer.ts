// A small transformer encoder as a graph.
import { GraphBuilder } from '../../lib/graph/builder.js';
import type { Graph } from '../../lib/graph/graph.js';
import { floats, integers } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor } from './onnxruntime.js';

export const TOKENS = 5;
const WIDTH = 12;
const HEADS = 3;
export const VOCABULARY = 20;

/** Token ids [N, 5] → logits [N, 4]: embedding, one encoder layer (Vaswani et al., arXiv 1706.03762), mean, linear. */
export function transformer(): Graph {
  const random = new Random(11);
  const b = new GraphBuilder('transformer', 20);
  const weight = (name: string, dims: readonly number[]) => {
    const scale = 1 / Math.sqrt(dims[0] as number);
    const { data } = randomTensor(random.split(name), dims);
    return b.initializer(
      name,
      floats(
        dims,
        data.map((value) => value * scale),
      ),
    );
  };
  const linear = (name: string, x: string, inputs: number, outputs: number) => {
    const product = b.node(`${name}.product`, 'MatMul', [x, weight(`${name}.weight`, [inputs, outputs])]);
    return b.node(name, 'Add', [product, weight(`${name}.bias`, [outputs])]);
  };
  const norm = (name: string, x: string) => {
    return b.node(name, 'LayerNormalization', [x, weight(`${name}.scale`, [WIDTH]), weight(`${name}.bias`, [WIDTH])]);
  };
  const ids = b.input('ids', ['N', TOKENS], 'int64');
  const embedded = b.node('embedding', 'Gather', [weight('table', [VOCABULARY, WIDTH]), ids]);
  const x = b.node('position', 'Add', [embedded, weight('positions', [TOKENS, WIDTH])]);
  const split = b.initializer('heads', integers([0, TOKENS, HEADS, -1]));
  const heads = (name: string, perm: number[]) => {
    const parts = b.node(`${name}.heads`, 'Reshape', [linear(name, x, WIDTH, WIDTH), split]);
    return b.node(`${name}.turned`, 'Transpose', [parts], { attributes: { perm } });
  };
  const scores = b.node('scores', 'MatMul', [heads('query', [0, 2, 1, 3]), heads('key', [0, 2, 3, 1])]);
  const scaled = b.node('scaled', 'Mul', [scores, b.initializer('scale', floats([], [Math.sqrt(HEADS / WIDTH)]))]);
  const attention = b.node('attention', 'Softmax', [scaled]);
  const mixed = b.node('mixed', 'MatMul', [attention, heads('value', [0, 2, 1, 3])]);
  const turned = b.node('turned', 'Transpose', [mixed], { attributes: { perm: [0, 2, 1, 3] } });
  const joined = b.node('joined', 'Reshape', [turned, b.initializer('width', integers([0, 0, -1]))]);
  const first = norm('norm1', b.node('residual1', 'Add', [x, linear('out', joined, WIDTH, WIDTH)]));
  const hidden = b.node('gelu', 'Gelu', [linear('up', first, WIDTH, 24)]);
  const second = norm('norm2', b.node('residual2', 'Add', [first, linear('down', hidden, 24, WIDTH)]));
  const axes = b.initializer('axes', integers([1]));
  const pooled = b.node('pooled', 'ReduceMean', [second, axes], { attributes: { keepdims: 0 } });
  b.output(linear('logits', pooled, WIDTH, 4));
  return b.build();
}
