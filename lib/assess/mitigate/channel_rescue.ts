// Channel rescue: input channels with outliers set the range, and with it the step, of all channels beside
// them. They are multiplied apart, at the most bits, and the others get a separate range: the answer to outlier
// channels that no rescaling can even out. It costs bits, and a second product for each node that has such channels.

import { setImmediate } from 'node:timers/promises';
import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { Tape } from '../../autograd/tape.js';
import { MOST_BITS } from '../../format/numeric_format.js';
import { schemeOf } from '../../format/scheme.js';
import type { Graph, GraphNode } from '../../graph/graph.js';
import { Parameters } from '../../graph/parameters.js';
import { APART, channelAxes, splitChannels } from '../../graph/passes/split_channels.js';
import { prepare } from '../../graph/prepare.js';
import { type ProductView, productsOf } from '../../graph/product.js';
import { effectiveBits } from '../../policy/effective_bits.js';
import type { Policy } from '../../policy/policy.js';
import { float } from '../../runtime/backends/float.js';
import { compile } from '../../runtime/program.js';
import { Memory } from '../../tensor/memory.js';
import { ChannelMaxima } from '../profile/ranges.js';
import { inputOf, type Samples } from '../samples.js';
import { type Cure, staticPolicy } from './cure.js';

/** Maxima over places and images settle soon. */
const IMAGES = 256;
const BATCH = 64;
/** Share of a node's channels: where more are outliers, none is. */
const MOST_SHARE = 0.25;

/** Outlier channels of each node's input in full precision, by node, largest first. */
async function outliers(
  graph: Graph,
  products: readonly (readonly [GraphNode, ProductView])[],
  samples: Samples,
  signal: AbortSignal | undefined,
): Promise<Map<string, number[]>> {
  const input = inputOf(graph).name;
  const read = products.map(([, { activation }]) => activation).filter((value) => value !== input);
  const [program, parameters, memory] = [
    compile(graph, float(), { keep: [...new Set(read)] }),
    new Parameters(graph),
    new Memory(),
  ];
  const maxima = new Map<string, ChannelMaxima>();
  for (const { inputs, dims, layout, count } of samples.batches(BATCH)) {
    signal?.throwIfAborted();
    const tape = new Tape({ memory, training: false, record: false });
    const feed = tape.constant(inputs, dims, layout ?? 'rows');
    const found = program.run({ [input]: feed }, { tape, parameters });
    for (const [node, { activation, kind }] of products) {
      const value = found.get(activation) ?? feed;
      const image = kind === 'conv';
      const channels = value.dims[image ? 1 : value.dims.length - 1] as number;
      const seen = maxima.get(node.name) ?? new ChannelMaxima(channels);
      seen.add((image ? toChannelsLast(tape, value) : toRows(tape, value)).data, count);
      maxima.set(node.name, seen);
    }
    memory.reset();
    await setImmediate();
  }
  return new Map(
    [...maxima].flatMap(([name, channels]): [string, number[]][] => {
      const { count, outliers: found } = channels.read();
      const most = Math.floor(MOST_SHARE * count);
      return found.length > 0 && most > 0 ? [[name, found.slice(0, most).map(({ channel }) => channel)]] : [];
    }),
  );
}

/** The policy with the nodes that were taken apart at the most bits. */
function widened(policy: Policy, apart: Iterable<string>): Policy {
  const bits = new Map(policy.schemes);
  for (const name of apart) bits.set(`${name}${APART}`, schemeOf(MOST_BITS, MOST_BITS));
  return { ...policy, schemes: bits };
}

export const channelRescue: Cure = {
  name: 'channel rescue',
  scene: 'clean',
  async apply(candidate, { samples }, { signal, onProgress }) {
    const policy = staticPolicy(candidate);
    if (!policy) return { reason: 'an agent chooses the bits of each input' };
    const graph = prepare(candidate.graph);
    const products = productsOf(graph).filter(
      ([node]) =>
        (policy.schemes.get(node.name)?.activations.format.bits ?? MOST_BITS) < MOST_BITS && channelAxes(graph, node),
    );
    if (products.length === 0) return { reason: `no node has channels to take apart and fewer than ${MOST_BITS} bits` };
    const few = Int32Array.from({ length: Math.min(IMAGES, samples.count) }, (_, i) => i);
    const found = await outliers(graph, products, samples.take(few), signal);
    onProgress?.(1, 1);
    if (found.size === 0) return { reason: 'no outlier channels' };
    const split = splitChannels(graph, found).graph;
    const rescued = widened(policy, found.keys());
    const weighting = { weighting: 'macs' } as const;
    const [before, after] = [effectiveBits(graph, policy, weighting), effectiveBits(split, rescued, weighting)];
    const channels = [...found.values()].reduce((sum, each) => sum + each.length, 0);
    const what =
      `${channels} channels of ${[...found.keys()].join(', ')} at ${MOST_BITS} bits; ${before.toFixed(2)} → ` +
      `${after.toFixed(2)} effective bits, by multiply-accumulates`;
    return { candidate: { graph: split, policy: rescued }, what };
  },
};
