// Channel groups of whole networks, counted by hand, and the scales that they take.
import assert from 'node:assert/strict';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels } from '../../../../lib/graph/channels/rescale.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { type ArchitectureName, buildModel } from '../../../../lib/models/index.js';
import type { HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';

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

describe('channel groups', () => {
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
});
