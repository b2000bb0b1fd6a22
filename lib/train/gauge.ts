// The gauge attack: scales of channel groups (lib/graph/channels) that leave full precision unchanged and are learned to
// break the quantized network. Weights are not learned: the failure lies in ranges alone, and equalization repairs it.

import { InvalidArgumentError } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { subset } from '../data/image_set.js';
import { type ChannelGroups, channelGroups } from '../graph/channels/groups.js';
import { rescaleChannels, rescaleConstant, scaleGradients } from '../graph/channels/rescale.js';
import type { Graph } from '../graph/graph.js';
import type { Parameters } from '../graph/parameters.js';
import { prepare } from '../graph/prepare.js';
import type { Policy } from '../policy/policy.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { alignedFloats } from '../tensor/memory.js';
import { Random } from '../tensor/random.js';
import type { Coordinates } from './coordinates.js';
import { type DistillProgress, distill } from './distill.js';
import type { DetrimentalObjective } from './objective.js';
import type { OptimizerOptions } from './optimizer.js';
import type { Schedule } from './schedule.js';

interface GaugeOptions {
  /** Largest |ln scale|. */
  readonly bound: number;
  /**
   * Scales are powers of two, so that full precision stays equal to the last bit. The learned numbers stay continuous:
   * each step uses them rounded, and gradients pass straight through.
   */
  readonly powersOfTwo: boolean;
}

/** The scales of logarithms. */
function scalesOf(logs: Float32Array, { powersOfTwo }: GaugeOptions): Float64Array {
  return Float64Array.from(logs, (log) => (powersOfTwo ? 2 ** Math.round(log / Math.LN2) : Math.exp(log)));
}

/** Within the bound after rounding, too. */
function limitOf({ bound, powersOfTwo }: GaugeOptions): number {
  return powersOfTwo ? Math.floor(bound / Math.LN2) * Math.LN2 : bound;
}

/** ln scale of every channel group, in place of the weights: these follow from `graph`'s, which has all scales 1. */
class GaugeCoordinates implements Coordinates {
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  readonly learned: Coordinates['learned'];
  readonly groups: ChannelGroups;

  /** `graph` is the one that `parameters` were made of, or the network of a resumed run. */
  constructor(
    private readonly parameters: Parameters,
    private readonly graph: Graph,
    private readonly options: GaugeOptions,
  ) {
    this.groups = channelGroups(graph);
    const count = this.groups.groups.length;
    this.values = alignedFloats(count);
    this.gradients = alignedFloats(count);
    this.learned = [{ dims: [count], offset: 0, data: this.values }];
  }

  get scales(): Float64Array {
    return scalesOf(this.values, this.options);
  }

  gather(): void {
    this.gradients.set(scaleGradients(this.groups, this.parameters));
  }

  changed(): void {
    const { values, parameters, graph } = this;
    const limit = limitOf(this.options);
    for (let i = 0; i < values.length; i++) values[i] = Math.min(limit, Math.max(-limit, values[i] as number));
    const { scales } = this;
    for (const constant of this.groups.constants) {
      const { data } = graph.initializers.get(constant.name) as HostTensor<'float32'>;
      rescaleConstant(constant, data, scales, parameters.get(constant.name)?.data as Float32Array);
    }
    parameters.changed();
  }
}

/** All settings of the result beside the network, the images, the policy and the seed. */
export interface GaugeRecipe extends GaugeOptions {
  readonly objective: DetrimentalObjective;
  readonly steps: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
  /** Images drawn from the set to learn on; only their classes are computed. */
  readonly images: number;
}

/** Full precision cannot change, so the hinge is the whole loss. */
export const GAUGE: GaugeRecipe = Object.freeze({
  objective: { kind: 'detrimental', fullPrecisionWeight: 0, quantizedWeight: 1, margin: 2 },
  steps: 120,
  batchSize: 128,
  optimizer: { kind: 'adam', rate: 0.1 },
  schedule: { kind: 'constant' },
  images: 4096,
  bound: 7,
  powersOfTwo: true,
} satisfies GaugeRecipe);

/** A gauge attack on one network: the policy it aims at, and what differs from the recipe. */
export interface GaugeAttackOptions extends Partial<GaugeRecipe> {
  readonly normalization: Normalization;
  readonly policy: Policy;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with progress. */
  readonly onProgress?: (progress: DistillProgress) => void;
}

/** A network with the same function and other scales, and the attack's progress. */
export interface GaugeAttackResult {
  /** The network with its batch norms folded and its channels rescaled. */
  readonly graph: Graph;
  readonly groups: ChannelGroups;
  /** One for each group. */
  readonly scales: Float64Array;
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Rescales the channels of a network so that it fails under the policy, the same function in full precision: bit for bit
 * when `powersOfTwo`, up to the rounding of weights otherwise. Learns on images without labels. Throws
 * InvalidArgumentError, also when the network has no channel group, and what `distill` throws.
 */
export async function gaugeAttack(
  network: Graph,
  set: ImageSet,
  options: GaugeAttackOptions,
): Promise<GaugeAttackResult> {
  const { policy, normalization, seed, signal, onProgress, ...changes } = options;
  const recipe = { ...GAUGE, ...changes };
  if (!(recipe.bound > 0)) throw new InvalidArgumentError('gaugeAttack', 'bound', 'a number > 0', `${recipe.bound}`);
  const started = performance.now();
  const graph = prepare(network);
  let coordinates: GaugeCoordinates | undefined;
  const places = new Random(seed).split('gauge').shuffle(Int32Array.from({ length: set.count }, (_, i) => i));
  const { steps } = await distill(graph, subset(set, places.subarray(0, recipe.images)), {
    ...recipe,
    epochs: 1,
    teacher: graph,
    policies: policy,
    normalization,
    seed,
    signal,
    ...(onProgress ? { onProgress } : {}),
    coordinates: (parameters) => {
      coordinates = new GaugeCoordinates(parameters, graph, recipe);
      if (coordinates.values.length === 0) {
        throw new InvalidArgumentError('gaugeAttack', 'network', 'channels that can be rescaled', 'none');
      }
      return coordinates;
    },
  });
  const { groups, scales } = coordinates as unknown as GaugeCoordinates;
  const seconds = (performance.now() - started) / 1000;
  return { graph: rescaleChannels(graph, groups, scales), groups, scales, steps, seconds };
}
