// Rescaling channels by powers of two leaves every bit of the result as it is; gradients of scales against quotients.
import assert from 'node:assert/strict';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels, scaleGradients } from '../../../../lib/graph/channels/rescale.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { type ArchitectureName, buildModel } from '../../../../lib/models/index.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import type { HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';

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
