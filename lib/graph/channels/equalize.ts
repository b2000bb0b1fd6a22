// Cross-layer equalization (Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV
// 2019, arXiv 1906.04721, section 4.1): scales channels so that the weights that make a channel and those that read it
// have the same range. The paper's formula, s = √(r₁ · r₂) / r₂ for two layers, becomes one for groups with the largest
// range of all makers as r₁ and of all readers as r₂. Full precision does not change.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { Graph } from '../graph.js';
import { type ChannelGroups, channelGroups } from './groups.js';
import { rescaleChannels, visitGroups } from './rescale.js';

/** Options of equalization. */
export interface EqualizeOptions {
  /** Rounds scales to powers of two: full precision stays equal to the last bit. Default false. */
  readonly powersOfTwo?: boolean | undefined;
}

/** A network with equalized channels. */
export interface Equalized {
  readonly graph: Graph;
  readonly groups: ChannelGroups;
  /** Scale of each group. */
  readonly scales: Float64Array;
  /** Passes over all groups until convergence. */
  readonly rounds: number;
}

/** Scales whose logarithms move less than this in a round have settled: far below what any rounding to 8 bits sees. */
const SETTLED = 1e-4;
/** Chains of layers pass changes on a layer a round; residual networks of a hundred layers settle within this. */
const MOST_ROUNDS = 200;

/** The largest |w| in every (channel made, channel read) pair of one weight, in log. */
interface Cell {
  readonly made: number;
  readonly read: number;
  readonly log: number;
}

/** Biases are skipped: their range is not a range of weights. */
function cellsOf(graph: Graph, { groups, constants }: ChannelGroups): Cell[] {
  const cells: Cell[] = [];
  const width = groups.length + 1; // one more for channels of no group
  for (const constant of constants.filter(({ shift }) => !shift)) {
    const { data } = graph.initializers.get(constant.name) as HostTensor<'float32'>;
    const peaks = new Map<number, number>();
    visitGroups(constant, (start, end, made, read) => {
      if (made === read) return; // its scale cancels
      const pair = (made + 1) * width + read + 1;
      let peak = peaks.get(pair) ?? 0;
      for (let i = start; i < end; i++) peak = Math.max(peak, Math.abs(data[i] as number));
      peaks.set(pair, peak);
    });
    for (const [pair, peak] of peaks) {
      if (peak > 0) cells.push({ made: Math.floor(pair / width) - 1, read: (pair % width) - 1, log: Math.log(peak) });
    }
  }
  return cells;
}

/** Equalizes the weights around every channel group until convergence. */
export function equalize(graph: Graph, options: EqualizeOptions = {}): Equalized {
  const groups = channelGroups(graph);
  const count = groups.groups.length;
  const cells = cellsOf(graph, groups);
  const makers = Array.from({ length: count }, () => [] as Cell[]);
  const readers = Array.from({ length: count }, () => [] as Cell[]);
  for (const cell of cells) {
    makers[cell.made]?.push(cell);
    readers[cell.read]?.push(cell);
  }
  const logs = new Float64Array(count);
  const range = (of: readonly Cell[]) => {
    let most = Number.NEGATIVE_INFINITY;
    for (const { made, read, log } of of) most = Math.max(most, log + (logs[made] ?? 0) - (logs[read] ?? 0));
    return most;
  };
  let rounds = 0;
  for (let moved = Number.POSITIVE_INFINITY; moved > SETTLED && rounds < MOST_ROUNDS; rounds++) {
    moved = 0;
    for (let group = 0; group < count; group++) {
      const step = (range(readers[group] as Cell[]) - range(makers[group] as Cell[])) / 2;
      if (!Number.isFinite(step)) continue; // a channel of zeros, or one that no node reads
      logs[group] = (logs[group] as number) + step;
      moved = Math.max(moved, Math.abs(step));
    }
  }
  const scales = logs.map((log) => (options.powersOfTwo ? 2 ** Math.round(log / Math.LN2) : Math.exp(log)));
  return { graph: rescaleChannels(graph, groups, scales), groups, scales, rounds };
}
