// The episode of an agent that decides node by node: what it observes at each turn, which actions the budget leaves it,
// and what its action, from 0 (fewest bits) to 1 (most), becomes. Where weights and activations may differ, a node takes
// two turns. The observation is HAQ's (Wang et al., 2019, section 3.1) and what makes it complete: the budget left, and
// how much the node is believed to matter.
import type { NodeBits } from '../quant/policy.js';
import type { Candidate, Environment } from './environment.js';
import type { Layer } from './layers.js';

export interface Turn {
  readonly node: number;
  /** What is decided: both numbers of bits together, or one of them. */
  readonly kind: 'bits' | 'weights' | 'activations';
}

/** What an observation holds beside the constants of its turn. */
export interface Situation {
  /** Number of the turn. */
  readonly turn: number;
  /** The action before, as executed; 1 at the start. */
  readonly last: number;
  /** Of what the nodes ahead could spend beyond the least, the share that the budget leaves them. */
  readonly left: number;
}

/** Node index, depthwise, channels in and out, stride, kernel, weights, input size. */
const LAYER_FEATURES = 8;
export const FEATURES = LAYER_FEATURES + 4;

interface Episode {
  readonly chosen: NodeBits[];
  weightBits: number | undefined;
  last: number;
  spent: number;
}

export class Walk {
  readonly turns: readonly Turn[];
  /** Of each turn: the constant part of its observation. */
  private readonly constants: readonly (readonly number[])[];
  private readonly budget: number;
  /** What the nodes from each one on spend at least and at most. */
  private readonly least: readonly number[];
  private readonly most: readonly number[];

  constructor(private readonly environment: Environment) {
    const { space, problem } = environment;
    this.turns = space.names.flatMap((_, node): Turn[] => {
      const options = space.optionsOf(node);
      if (options.length === 1) return [];
      const apart = new Set(options.map(({ weightBits }) => weightBits)).size < options.length;
      return apart
        ? [
            { node, kind: 'weights' },
            { node, kind: 'activations' },
          ]
        : [{ node, kind: 'bits' }];
    });
    const rows = normalised(problem.layers.map(layerFeatures));
    this.constants = this.turns.map(({ node }) => rows[node] as number[]);
    const costs = space.names.map((_, node) => space.optionsOf(node).map((bits) => space.cost(node, bits)));
    const suffix = (of: (...values: number[]) => number) => {
      const sums = [0];
      for (const options of [...costs].reverse()) sums.push(of(...options) + (sums.at(-1) as number));
      return sums.reverse();
    };
    this.least = suffix(Math.min);
    this.most = suffix(Math.max);
    const some = space.optimum(() => 0) ?? [];
    this.budget = some.reduce((sum, bits, node) => sum + space.cost(node, bits), 0);
  }

  /** Writes the observation of a situation. `beliefs`: of each node, about −2 to 2. out: [FEATURES] */
  observe({ turn, last, left }: Situation, beliefs: ArrayLike<number>, out: Float32Array): void {
    out.set(this.constants[turn] as readonly number[]);
    const { node, kind } = this.turns[turn] as Turn;
    out.set([last, kind === 'activations' ? 1 : 0, left, beliefs[node] as number], LAYER_FEATURES);
  }

  /**
   * Plays episodes side by side. `act` gets the situations of all at one turn, and gives their actions. Returns what was
   * decided, with every situation and the action as executed: on the scale of 0 to 1, inside of what was allowed.
   */
  play(count: number, act: (situations: readonly Situation[]) => ArrayLike<number>) {
    const episodes = Array.from(
      { length: count },
      (): Episode => ({ chosen: [], weightBits: undefined, last: 1, spent: 0 }),
    );
    const steps: { situation: Situation; action: number }[][] = episodes.map(() => []);
    this.turns.forEach((turn, index) => {
      for (const episode of episodes) this.skipPinned(episode, turn.node);
      const situations = episodes.map(({ last, spent }) => ({ turn: index, last, left: this.left(turn.node, spent) }));
      const actions = act(situations);
      episodes.forEach((episode, i) => {
        const action = this.execute(episode, turn, actions[i] as number);
        steps[i]?.push({ situation: situations[i] as Situation, action });
      });
    });
    return episodes.map((episode, i) => {
      this.skipPinned(episode, this.least.length - 1);
      return { candidate: episode.chosen as Candidate, steps: steps[i] as { situation: Situation; action: number }[] };
    });
  }

  /** The episode that ends with a candidate. */
  retrace(candidate: Candidate) {
    const [episode] = this.play(1, (situations) => {
      const { node, kind } = this.turns[situations[0]?.turn ?? 0] as Turn;
      const bits = candidate[node] as NodeBits;
      return [this.levels(node, kind, bits.weightBits).place(bits)];
    });
    return episode as { candidate: Candidate; steps: { situation: Situation; action: number }[] };
  }

  private left(node: number, spent: number): number {
    const [least, most] = [this.least[node] as number, this.most[node] as number];
    return most > least ? (this.budget - spent - least) / (most - least) : 0;
  }

  private skipPinned(episode: Episode, upTo: number): void {
    while (episode.chosen.length < upTo) {
      this.choose(episode, this.environment.space.optionsOf(episode.chosen.length)[0] as NodeBits);
    }
  }

  private choose(episode: Episode, bits: NodeBits): void {
    episode.spent += this.environment.space.cost(episode.chosen.length, bits);
    episode.chosen.push(bits);
    episode.weightBits = undefined;
  }

  /** The scale of a turn: where bits lie between its fewest, 0, and its most, 1. */
  private levels(node: number, kind: Turn['kind'], weightBits: number | undefined) {
    const { space } = this.environment;
    const cost = (bits: NodeBits) => space.cost(node, bits);
    const all = [...space.optionsOf(node)].sort((a, b) => cost(a) - cost(b) || a.weightBits - b.weightBits);
    const level = (bits: NodeBits) =>
      kind === 'bits'
        ? all.findIndex((other) => other.weightBits === bits.weightBits && other.activationBits === bits.activationBits)
        : kind === 'weights'
          ? bits.weightBits
          : bits.activationBits;
    const open = kind === 'activations' ? all.filter((bits) => bits.weightBits === weightBits) : all;
    const levels = [...new Set(open.map(level))].sort((a, b) => a - b);
    return { place: (bits: NodeBits) => (levels.length > 1 ? levels.indexOf(level(bits)) / (levels.length - 1) : 0) };
  }

  /** Chooses what is allowed and nearest to the action; returns its place. */
  private execute(episode: Episode, { node, kind }: Turn, action: number): number {
    const { place } = this.levels(node, kind, episode.weightBits);
    const distance = (bits: NodeBits) => Math.abs(place(bits) - action);
    const allowed = this.environment.space
      .allowed(episode.chosen)
      .filter(({ weightBits }) => kind !== 'activations' || weightBits === episode.weightBits);
    const nearest = allowed.reduce((best, bits) => (distance(bits) < distance(best) ? bits : best));
    if (kind === 'weights') episode.weightBits = nearest.weightBits;
    else this.choose(episode, nearest);
    episode.last = place(nearest);
    return episode.last;
  }
}

function layerFeatures(layer: Layer, index: number): number[] {
  const { depthwise, inChannels, outChannels, stride, kernel, weights, inputSize } = layer;
  const sizes = [inChannels, outChannels, stride, kernel, weights, inputSize].map((size) =>
    Math.log(Math.max(1, size)),
  );
  return [index, depthwise ? 1 : 0, ...sizes];
}

/** Every feature from 0 to 1 over the layers. */
function normalised(rows: readonly (readonly number[])[]): number[][] {
  const columns = Array.from({ length: LAYER_FEATURES }, (_, i) => rows.map((row) => row[i] as number));
  const ranges = columns.map((column) => [Math.min(...column), Math.max(...column)] as const);
  return rows.map((row) =>
    row.map((value, i) => {
      const [low, high] = ranges[i] as readonly [number, number];
      return high > low ? (value - low) / (high - low) : 0;
    }),
  );
}
