// What operators do to the scales of channels: powers of two leave every bit, and groups are as many as operators allow.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels } from '../../../../lib/graph/channels/rescale.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { floats, type HostTensor, integers } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor, relativeDifference } from '../../../support/onnxruntime.js';

const MOST_DOUBLINGS = 6;

function powersOfTwo(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => 2 ** (random.integer(2 * MOST_DOUBLINGS + 1) - MOST_DOUBLINGS));
}

/** Each weight is rounded once more to float32, 2^-24; sums of up to 216 products that partly cancel: 2^-24 · 2^8. */
const ROUNDING = 2 ** -16;

describe('channel rules', () => {
  const random = new Random(9);

  /** `middle` stands between two convolutions, 4 → [N, 6, 6, 6] → … → 3; graph and groups of the result. */
  function between(
    middle: (b: GraphBuilder, x: string) => string,
    after: (b: GraphBuilder, x: string) => string = last,
  ) {
    const b = new GraphBuilder('test');
    const x = b.input('x', ['N', 4, 6, 6]);
    const w = b.initializer('first.weight', randomTensor(random, [6, 4, 1, 1]));
    const first = b.node('first', 'Conv', [x, w, b.initializer('first.bias', randomTensor(random, [6]))]);
    b.output(after(b, middle(b, first)));
    return b.build();
  }

  function last(b: GraphBuilder, x: string): string {
    const channels = b.typeOf(x).dims[1] as number;
    return b.node('last', 'Conv', [x, b.initializer('last.weight', randomTensor(random, [3, channels, 1, 1]))]);
  }

  function linear(b: GraphBuilder, x: string): string {
    const features = b.typeOf(x).dims.at(-1) as number;
    return b.node('last', 'MatMul', [x, b.initializer('last.weight', randomTensor(random, [features, 3]))]);
  }

  const constant = (b: GraphBuilder, name: string, dims: number[]) => b.initializer(name, randomTensor(random, dims));
  const conv = (b: GraphBuilder, name: string, x: string, dims: number[], attributes = {}) =>
    b.node(name, 'Conv', [x, constant(b, `${name}.weight`, dims), constant(b, `${name}.bias`, [dims[0] as number])], {
      attributes,
    });

  const window = { kernel_shape: [2, 2], strides: [2, 2] };
  const cases: [string, number, Graph][] = [
    [
      'ReLU, pools, Identity, Dropout: pass',
      6,
      between((b, x) => {
        const relu = b.node('relu', 'Relu', [b.node('identity', 'Identity', [b.node('dropout', 'Dropout', [x])])]);
        const max = b.node('max', 'MaxPool', [relu], { attributes: { ...window, pads: [1, 1, 1, 1] } });
        return b.node('average', 'AveragePool', [max], { attributes: window });
      }),
    ],
    [
      'LeakyRelu, PRelu, Abs, Neg, a largest of each channel, Squeeze and Unsqueeze: pass',
      6,
      between((b, x) => {
        const leaky = b.node('neg', 'Neg', [b.node('leaky', 'LeakyRelu', [x])]);
        const abs = b.node('abs', 'Abs', [b.node('prelu', 'PRelu', [leaky, constant(b, 'slope', [6, 1, 1])])]);
        const axes = b.initializer('axes', integers([2, 3]));
        const squeezed = b.node('squeeze', 'Squeeze', [b.node('pool', 'GlobalMaxPool', [abs]), axes]);
        return b.node('unsqueeze', 'Unsqueeze', [squeezed, axes]);
      }),
    ],
    [
      'Clip from 0 up: passes',
      6,
      between((b, x) => b.node('clip', 'Clip', [x, b.initializer('low', floats([], [0]))])),
    ],
    [
      'Clip to [0, 6]: pins',
      0,
      between((b, x) =>
        b.node('clip', 'Clip', [x, b.initializer('low', floats([], [0])), b.initializer('high', floats([], [6]))]),
      ),
    ],
    ['Sigmoid: pins', 0, between((b, x) => b.node('sigmoid', 'Sigmoid', [x]))],
    ['a depthwise convolution begins new groups', 12, between((b, x) => conv(b, 'dw', x, [6, 1, 3, 3], { group: 6 }))],
    ['a grouped convolution begins new groups', 10, between((b, x) => conv(b, 'g', x, [4, 3, 1, 1], { group: 2 }))],
    [
      'an Add of two branches ties them',
      6 + 6,
      between((b, x) => b.node('sum', 'Add', [conv(b, 'a', x, [6, 6, 1, 1]), conv(b, 'c', x, [6, 6, 1, 1])])),
    ],
    [
      'an Add of a branch to its own input ties both',
      6,
      between((b, x) => b.node('sum', 'Sub', [conv(b, 'a', x, [6, 6, 1, 1]), x])),
    ],
    [
      'an Add with one channel for all ties all',
      6 + 1,
      between((b, x) => b.node('sum', 'Add', [conv(b, 'a', x, [6, 6, 1, 1]), conv(b, 'c', x, [1, 6, 1, 1])])),
    ],
    [
      'a constant of one number a channel is scaled along',
      6,
      between((b, x) => b.node('sum', 'Add', [x, constant(b, 'c', [6, 1, 1])])),
    ],
    [
      'a constant from which a channel is taken, too',
      6,
      between((b, x) => b.node('sum', 'Sub', [constant(b, 'c', [1, 6, 6, 6]), x])),
    ],
    ['a constant shared by all channels pins', 0, between((b, x) => b.node('sum', 'Add', [x, constant(b, 'c', [1])]))],
    [
      'Mul and Div by a constant: pass',
      6,
      between((b, x) =>
        b.node('div', 'Div', [b.node('mul', 'Mul', [constant(b, 'c', [6, 1, 1]), x]), constant(b, 'd', [1])]),
      ),
    ],
    [
      'a gate keeps its scale, what it gates need not',
      6,
      between((b, x) => b.node('mul', 'Mul', [x, b.node('gate', 'Sigmoid', [conv(b, 'a', x, [6, 6, 1, 1])])])),
    ],
    [
      'a product of two branches pins both',
      6,
      between((b, x) => b.node('mul', 'Mul', [conv(b, 'a', x, [6, 6, 1, 1]), conv(b, 'c', x, [6, 6, 1, 1])])),
    ],
    [
      'Concat of channels keeps them apart',
      6 + 2,
      between((b, x) => b.node('cat', 'Concat', [x, conv(b, 'a', x, [2, 6, 1, 1])], { attributes: { axis: 1 } })),
    ],
    [
      'Concat with what is pinned: only its part is',
      6,
      between((b, x) =>
        b.node('cat', 'Concat', [b.node('sigmoid', 'Sigmoid', [conv(b, 'a', x, [2, 6, 1, 1])]), x], {
          attributes: { axis: -3 },
        }),
      ),
    ],
    [
      'Concat of places ties channels',
      6 + 6,
      between((b, x) => {
        const parts = [conv(b, 'a', x, [6, 6, 1, 1]), conv(b, 'c', x, [6, 6, 1, 1])];
        return b.node('cat', 'Concat', parts, { attributes: { axis: 2 } });
      }),
    ],
    ['Flatten: each place of a channel is a feature', 6, between((b, x) => b.node('flat', 'Flatten', [x]), linear)],
    [
      'Reshape and Transpose to tokens',
      6 + 5,
      between((b, x) => {
        const rows = b.node('rows', 'Reshape', [x, b.initializer('shape', integers([0, 6, 36]))]);
        const tokens = b.node('tokens', 'Transpose', [rows], { attributes: { perm: [0, 2, 1] } });
        const hidden = b.node('hidden', 'MatMul', [tokens, constant(b, 'hidden.weight', [6, 5])]);
        const shifted = b.node('shifted', 'Add', [constant(b, 'shift', [5]), hidden]);
        return b.node('mean', 'ReduceMean', [b.node('relu', 'Relu', [shifted])], {
          attributes: { axes: [1], keepdims: 0 },
        });
      }, linear),
    ],
    [
      'a Reshape that splits channels pins',
      0,
      between((b, x) => b.node('rows', 'Reshape', [x, b.initializer('shape', integers([-1, 3, 12, 6]))])),
    ],
    [
      'a Pad of channels with zeros passes',
      6,
      between((b, x) => b.node('pad', 'Pad', [x, b.initializer('pads', integers([0, 2, 1, 0, 0, 1, 0, 1]))])),
    ],
    [
      'a Pad with another number pins',
      0,
      between((b, x) =>
        b.node('pad', 'Pad', [
          x,
          b.initializer('pads', integers([0, 0, 1, 0, 0, 0, 0, 1])),
          b.initializer('one', floats([], [1])),
        ]),
      ),
    ],
    [
      'norms keep their input and scale their output',
      6,
      between((b, x) => {
        const parameters = ['scale', 'bias', 'mean'].map((name) => constant(b, name, [6]));
        const variance = b.initializer('var', floats([6], [1, 2, 3, 4, 5, 6]));
        return b.node('norm', 'BatchNormalization', [x, ...parameters, variance]);
      }),
    ],
    [
      'a layer norm, too',
      6,
      between(
        (b, x) => b.node('norm', 'LayerNormalization', [x, constant(b, 'scale', [6]), constant(b, 'bias', [6])]),
        linear,
      ),
    ],
    [
      'a bias that two nodes share pins what they make',
      6,
      between((b, x) => {
        const bias = constant(b, 'shared', [6]);
        const parts = ['a', 'c'].map((name) =>
          b.node(name, 'Conv', [x, constant(b, `${name}.w`, [6, 3, 1, 1]), bias], { attributes: { group: 2 } }),
        );
        return b.node('sum', 'Add', parts);
      }),
    ],
    [
      'a weight that two nodes share pins what they read and make',
      0,
      between((b, x) => {
        const weight = constant(b, 'shared', [6, 6, 1, 1]);
        return b.node('c', 'Conv', [b.node('a', 'Conv', [x, weight]), weight]);
      }),
    ],
    [
      'Gemm without transB, scaled, with a bias of two dimensions',
      6 + 5,
      between((b, x) => {
        const pooled = b.node('flat', 'Flatten', [b.node('pool', 'GlobalAveragePool', [x])]);
        const inputs = [pooled, constant(b, 'w', [6, 5]), constant(b, 'b', [1, 5])];
        return b.node('fc', 'Gemm', inputs, { attributes: { alpha: 0.5, beta: 2 } });
      }, linear),
    ],
  ];
  for (const [name, count, graph] of cases) {
    it(name, () => {
      const groups = channelGroups(graph);
      assert.equal(groups.groups.filter(({ makers }) => makers.length > 0).length, count);
      const scaled = rescaleChannels(graph, groups, powersOfTwo(new Random(7), groups.groups.length));
      const x = randomTensor(new Random(6), [2, 4, 6, 6]);
      const result = (of: Graph) => runReference(of, { x }).get(of.outputs[0]?.name as string) as HostTensor;
      assert.deepEqual(result(scaled), result(graph));
      // Not because nothing happened: other scales change every weight and, but for rounding, nothing else.
      const odd = rescaleChannels(
        graph,
        groups,
        Array.from(groups.groups, (_, i) => 1.3 + 0.1 * i),
      );
      assert.ok(relativeDifference(result(odd), result(graph)) < ROUNDING, 'function changed');
      if (count > 0) assert.notDeepEqual(odd.initializers, graph.initializers);
    });
  }
});
