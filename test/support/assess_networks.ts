// Small networks and images for the tests of assess: batch norms measured, so that signals do not vanish.

import { Tape } from '../../lib/autograd/tape.js';
import type { ImageSet, Normalization } from '../../lib/data/image_set.js';
import { channelGroups } from '../../lib/graph/channels/groups.js';
import { rescaleChannels } from '../../lib/graph/channels/rescale.js';
import type { Graph } from '../../lib/graph/graph.js';
import { Parameters } from '../../lib/graph/parameters.js';
import { simplify } from '../../lib/graph/passes/index.js';
import { type ArchitectureName, buildModel } from '../../lib/models/index.js';
import { float } from '../../lib/runtime/backends/float.js';
import { compile } from '../../lib/runtime/program.js';
import { Memory } from '../../lib/tensor/memory.js';
import { Random } from '../../lib/tensor/random.js';
import { train } from '../../lib/train/train.js';
import { randomTensor } from './onnxruntime.js';

export const PLAIN: Normalization = { mean: [0.5], std: [0.25] };

/** Grey images of soft blobs, one place of them for each class: not noise alone, so that classes differ. */
export function blobs(count: number, seed = 1, size = 12, classes = 4): ImageSet {
  const random = new Random(seed);
  const pixels = new Uint8Array(count * size * size);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = random.integer(classes);
    labels[i] = label;
    const [x, y] = [2 + (label % 2) * (size - 5), 2 + (label >> 1) * (size - 5)];
    for (let at = 0; at < size * size; at++) {
      const distance = (Math.floor(at / size) - y) ** 2 + ((at % size) - x) ** 2;
      pixels[i * size * size + at] = Math.min(255, 220 * Math.exp(-distance / 8) + 30 * random.uniform());
    }
  }
  return { count, height: size, width: size, channels: 1, pixels, labels };
}

/** A fresh network with what its batch norms measure on random images. */
export function network(
  name: ArchitectureName,
  input: readonly [number, number, number],
  classes = 4,
  seed = 2,
): Graph {
  const fresh = buildModel(name, { input, classes, seed });
  const nodes = fresh.nodes.map((node) =>
    node.operator === 'BatchNormalization' ? { ...node, attributes: { ...node.attributes, momentum: 0 } } : node,
  );
  const parameters = new Parameters(fresh);
  const tape = new Tape({ memory: new Memory(), training: true, record: false });
  const images = randomTensor(new Random(seed), [16, ...input]);
  compile(fresh.with({ nodes }), float()).run({ [fresh.inputs[0]?.name ?? '']: images }, { tape, parameters });
  return parameters.toGraph(fresh);
}

/** A small network that tells the blobs apart. */
export async function trainedOnBlobs(name: ArchitectureName = 'convnet2', seed = 1): Promise<Graph> {
  const { graph } = await train(buildModel(name, { input: [1, 12, 12], classes: 4, seed }), blobs(480, 7), {
    epochs: 4,
    batchSize: 32,
    optimizer: { kind: 'adam', rate: 5e-3 },
    schedule: { kind: 'oneCycle' },
    seed,
    normalization: PLAIN,
  });
  return simplify(graph).graph;
}

/**
 * The same network with its channels at very different scales: full precision stays as it is to the last bit, but one
 * channel in four sets every range, and the others have few codes left.
 */
export function disparate(graph: Graph, factor: number): Graph {
  const groups = channelGroups(graph);
  const scales = Float64Array.from(groups.groups, (_, i) => (i % 4 === 0 ? factor : 1));
  return rescaleChannels(graph, groups, scales);
}
