// Channel groups: which channels of a network can be rescaled without changing its function, and which of
// them only together (a residual addition ties the channels of all that it adds). For every group the constants that
// compensate its scale are known: rescale.ts moves them, equalize.ts and the gauge attack choose the scales.
import { InvalidArgumentError } from '../../core/errors.js';
import type { Graph } from '../graph.js';
import { inferShapes } from '../infer.js';
import { ChannelTrace, PINNED, type ScaledAxis } from './trace.js';

/** One axis of a constant; groups[i]: the group of its index i, or −1 where the scale is fixed. */
interface GroupedAxis {
  readonly axis: number;
  /** Of the constant read by a grouped convolution: all channels, group after group. */
  readonly groups: Int32Array;
}

/** A weight, bias or other constant, and how it follows the scales of channels. */
export interface GroupedConstant {
  /** Of the initializer. */
  readonly name: string;
  /** The node that alone reads it. */
  readonly node: string;
  readonly dims: readonly number[];
  /** A bias: it is added to the channels that a weight makes. */
  readonly shift: boolean;
  /** Multiplied by the scale of the channels it makes. */
  readonly made: GroupedAxis | undefined;
  /** Divided by the scale of the channels it reads. */
  readonly read: GroupedAxis | undefined;
}

interface Channel {
  readonly node: string;
  readonly channel: number;
}

/** Channels that can be rescaled together without a change of the function. */
export interface ChannelGroup {
  /** Output channels of nodes with weights that share the scale. */
  readonly makers: readonly Channel[];
  /** Input channels (or features) of nodes with weights that compensate it. */
  readonly readers: readonly Channel[];
}

/** The groups of a network, and the constants in between. */
export interface ChannelGroups {
  readonly groups: readonly ChannelGroup[];
  /** In the order of the nodes that read them. */
  readonly constants: readonly GroupedConstant[];
}

/**
 * The channel groups of a graph; those of one with batch norms folded are the most (lib/graph/passes). Channels next to
 * inputs, outputs, other activations than ReLU, run-time products and shared weights keep their scale and are in no
 * group.
 */
export function channelGroups(graph: Graph): ChannelGroups {
  const trace = new ChannelTrace(graph, inferShapes(graph));
  const numbers = new Map<number, number>();
  const numbered = (scaled: ScaledAxis | undefined): GroupedAxis | undefined => {
    if (!scaled) return undefined;
    const groups = scaled.ids.map((id) => {
      const set = trace.sets.find(id);
      if (set === PINNED) return -1;
      const number = numbers.get(set) ?? numbers.size;
      numbers.set(set, number);
      return number;
    });
    return { axis: scaled.axis, groups };
  };
  const constants = [...trace.constants]
    .map(([name, { node, shift, made, read }]) => {
      const { dims } = graph.initializers.get(name) as { dims: readonly number[] };
      return { name, node, dims, shift, made: numbered(made), read: numbered(read) };
    })
    .filter(({ made, read }) => [made, read].some((axis) => axis?.groups.some((group) => group >= 0)));
  const groups = Array.from(numbers, () => ({ makers: [] as Channel[], readers: [] as Channel[] }));
  for (const { node, shift, made, read } of constants) {
    if (shift) continue;
    for (const [channel, group] of made?.groups.entries() ?? []) groups[group]?.makers.push({ node, channel });
    for (const [channel, group] of read?.groups.entries() ?? []) groups[group]?.readers.push({ node, channel });
  }
  return { groups, constants };
}

/** Throws InvalidArgumentError unless there is a positive, finite scale for each group. */
export function checkScales(operation: string, { groups }: ChannelGroups, scales: ArrayLike<number>): void {
  if (scales.length !== groups.length) {
    throw new InvalidArgumentError(operation, 'scales', `one for each of ${groups.length} groups`, `${scales.length}`);
  }
  const bad = Array.from(scales).findIndex((scale) => !(scale > 0 && Number.isFinite(scale)));
  if (bad >= 0) {
    throw new InvalidArgumentError(operation, 'scales', 'positive numbers', `${scales[bad]} for group ${bad}`);
  }
}
