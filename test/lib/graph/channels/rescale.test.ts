// Channel groups on whole networks and on each operator's rule: rescaling them by powers of two must leave every bit of the
// result as it is, and groups must be as many as the operators allow.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels, scaleGradients } from '../../../../lib/graph/channels/rescale.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { type ArchitectureName, buildModel } from '../../../../lib/models/index.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import { floats, type HostTensor, integers } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor, relativeDifference } from '../../../support/onnxruntime.js';

const MOST_DOUBLINGS = 6;

/** The network as trained ones are: norms folded, biases of their own. */
function network(name: ArchitectureName): Graph {
  const { graph } = simplify(buildModel(name, { seed: 3 }));
  const random = new Random(4);
  const initializers = new Map<string, HostTensor>();
  for (const [key, tensor] of graph.initializers) {
    initializers.set(key, tensor.dims.length === 1 ? randomTensor(random, tensor.dims) : tensor);
  }
  return graph.with({ initializers });
}

function powersOfTwo(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => 2 ** (random.integer(2 * MOST_DOUBLINGS + 1) - MOST_DOUBLINGS));
}

describe('rescaling channels', () => {
  // Groups by hand. resnet8: stem with the first block's sum 16, its inside 16, then 32, 32, 64, 64. mobilenetv2: only
  // the linear bottlenecks, ReLU6 pins all others.
  const counts: [ArchitectureName, number][] = [
    ['mlp', 256 + 128],
    ['convnet2', 16 + 32],
    ['resnet8', 16 + 16 + 32 + 32 + 64 + 64],
    ['resnet20', 4 * (16 + 32 + 64)],
    ['vgg11', 64 + 128 + 2 * 256 + 4 * 512],
    ['mobilenetv2-cifar', 16 + 24 + 32 + 64 + 96 + 160 + 320],
  ];
  for (const [name, count] of counts) {
    it(`${name}: ${count} groups, and powers of two leave the logits equal to the last bit`, () => {
      const graph = network(name);
      const groups = channelGroups(graph);
      assert.equal(groups.groups.length, count);
      const scaled = rescaleChannels(graph, groups, powersOfTwo(new Random(5), count));
      assert.notDeepEqual(scaled.initializers, graph.initializers);
      const dims = graph.inputs[0]?.dims?.map((dim) => (typeof dim === 'number' ? dim : 2)) as number[];
      const input = randomTensor(new Random(6), dims);
      const logits = (of: Graph) => runFloat(of, { input }).get(of.outputs[0]?.name as string);
      assert.deepEqual(logits(scaled), logits(graph));
    });
  }

  it('the groups of a residual sum name the channels of all that is added and all that reads it', () => {
    const { groups } = channelGroups(network('resnet8'));
    const at = (node: string) => groups.find(({ makers }) => makers.some((m) => m.node === node && m.channel === 3));
    const channel = 3;
    assert.deepEqual(at('stem.conv'), {
      makers: ['stem.conv', 'stage1.1.2.conv'].map((node) => ({ node, channel })),
      readers: ['stage1.1.1.conv', 'stage2.1.1.conv', 'stage2.1.shortcut.conv'].map((node) => ({ node, channel })),
    });
    assert.deepEqual(at('stage3.1.2.conv'), {
      makers: ['stage3.1.2.conv', 'stage3.1.shortcut.conv'].map((node) => ({ node, channel })),
      readers: [{ node: 'logits', channel }],
    });
  });

  it('refuses scales that are not positive numbers, one a group', () => {
    const graph = network('mlp');
    const groups = channelGroups(graph);
    const scales = new Float64Array(groups.groups.length).fill(1);
    assert.throws(
      () => rescaleChannels(graph, groups, scales.subarray(1)),
      /rescaleChannels: scales: expected one for/,
    );
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => rescaleChannels(graph, groups, scales.with(7, bad)),
        /positive numbers, received .* for group 7/,
      );
    }
  });

  it('the gradient of a logarithmic scale is that of a difference quotient', () => {
    const graph = network('resnet8');
    const groups = channelGroups(graph);
    // A loss that is linear in the weights, Σ w · gradient, and so has these gradients exactly.
    const parameters = new Parameters(graph);
    const random = new Random(8);
    for (let i = 0; i < parameters.gradients.length; i++) parameters.gradients[i] = random.normal();
    const loss = (of: Graph) => {
      const { values } = new Parameters(of);
      return values.reduce((sum, value, i) => sum + value * (parameters.gradients[i] as number), 0);
    };
    const own = scaleGradients(groups, parameters);
    const scales = new Float64Array(groups.groups.length).fill(1);
    const step = 2 ** -5;
    for (const group of [0, 20, 100, 223]) {
      const at = (factor: number) => loss(rescaleChannels(graph, groups, scales.with(group, factor)));
      const quotient = (at(Math.exp(step)) - at(Math.exp(-step))) / (2 * step);
      // The quotient's own error is step² / 6 of a third derivative as large as the first; float32 weights add 2^-24 / step.
      const largest = Math.max(...own.map(Math.abs));
      assert.ok(Math.abs(quotient - (own[group] as number)) < 1e-3 * largest, `${group}: ${quotient}, ${own[group]}`);
    }
  });
});

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

/** Each weight is rounded once more to float32, 2^-24; sums of up to 216 products that partly cancel: 2^-24 · 2^8. */
const ROUNDING = 2 ** -16;
