// Deep deterministic policy gradient, after HAQ (Wang et al., "HAQ: Hardware-Aware Automated Quantization with Mixed
// Precision", 2019): an episode walks the nodes, an actor's action in [0, 1] becomes bits, noise from a truncated normal
// explores, and a critic learns the return from a replay buffer. HAQ evaluates hundreds of episodes and repairs their
// budget afterwards; here evaluations are few and budgets exact. So only what the budget leaves open can be chosen, and a
// value model of the policies evaluated lets the agent imagine: of many episodes under noise, it evaluates the one with
// the largest expected improvement, and it learns from the others by the return that the model expects.

import type { NumericFormat } from '../../format/numeric_format.js';
import type { Scheme } from '../../format/scheme.js';
import type { Random } from '../../tensor/random.js';
import { ActorCritic } from '../actor_critic.js';
import { defineAgent } from '../agent.js';
import { cheapest, costliest } from '../climb.js';
import type { Environment } from '../environment.js';
import { describeLayers, type Layer } from '../layers.js';
import { keyOf, type NodeSchemes } from '../space.js';
import { expectedImprovement, noiseCoordinates, ValueModel } from '../value_model.js';

// The episode. At each turn the agent observes what HAQ's does (section 3.1), and what makes that complete: the budget
// left, and how much the node is believed to matter. Its action, from 0 (fewest bits) to 1 (most), becomes the nearest
// bits that the budget leaves open. Where weights and activations may differ, a node takes two turns.
interface Turn {
  readonly node: number;
  /** What is decided: both numbers of bits together, or one of them. */
  readonly kind: 'bits' | 'weights' | 'activations';
}

/** Entries of an observation beside the constants of its turn. */
interface Situation {
  /** Number of the turn. */
  readonly turn: number;
  /** The action before, as executed; 1 at the start. */
  readonly last: number;
  /** Of what the nodes ahead could spend beyond the least, the share that the budget leaves them. */
  readonly left: number;
}

/** Node index, depthwise, channels in and out, stride, kernel, weights, input size. */
const LAYER_FEATURES = 8;
/** Numbers in an observation. */
export const FEATURES = LAYER_FEATURES + 4;

interface Unfinished {
  readonly chosen: Scheme[];
  /** Where they are chosen and its activation not yet. */
  weights: NumericFormat | undefined;
  last: number;
  spent: number;
}

/** The turns of an episode, and what actions become at each. */
export class Walk {
  readonly turns: readonly Turn[];
  /** Of each turn: the constant part of its observation. */
  private readonly constants: readonly (readonly number[])[];
  private readonly budget: number;
  /** What the nodes from each one on spend at least and at most. */
  private readonly least: readonly number[];
  private readonly most: readonly number[];

  constructor(private readonly environment: Environment) {
    const { space, judge } = environment;
    this.turns = space.names.flatMap((_, node): Turn[] => {
      const options = space.optionsOf(node);
      if (options.length === 1) return [];
      const apart = new Set(options.map(({ weights }) => weights.format.bits)).size < options.length;
      return apart
        ? [
            { node, kind: 'weights' },
            { node, kind: 'activations' },
          ]
        : [{ node, kind: 'bits' }];
    });
    const rows = normalised(describeLayers(judge.graph, space.names).map(layerFeatures));
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
      (): Unfinished => ({ chosen: [], weights: undefined, last: 1, spent: 0 }),
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
      return {
        candidate: episode.chosen as NodeSchemes,
        steps: steps[i] as { situation: Situation; action: number }[],
      };
    });
  }

  /** The episode that ends with a candidate. */
  retrace(candidate: NodeSchemes) {
    const [episode] = this.play(1, (situations) => {
      const { node, kind } = this.turns[situations[0]?.turn ?? 0] as Turn;
      const bits = candidate[node] as Scheme;
      return [this.levels(node, kind, bits.weights.format).place(bits)];
    });
    return episode as { candidate: NodeSchemes; steps: { situation: Situation; action: number }[] };
  }

  private left(node: number, spent: number): number {
    const [least, most] = [this.least[node] as number, this.most[node] as number];
    return most > least ? (this.budget - spent - least) / (most - least) : 0;
  }

  private skipPinned(episode: Unfinished, upTo: number): void {
    while (episode.chosen.length < upTo) {
      this.choose(episode, this.environment.space.optionsOf(episode.chosen.length)[0] as Scheme);
    }
  }

  private choose(episode: Unfinished, bits: Scheme): void {
    episode.spent += this.environment.space.cost(episode.chosen.length, bits);
    episode.chosen.push(bits);
    episode.weights = undefined;
  }

  /** The scale of a turn: where bits lie between its fewest, 0, and its most, 1. */
  private levels(node: number, kind: Turn['kind'], weights: NumericFormat | undefined) {
    const { space } = this.environment;
    const cost = (bits: Scheme) => space.cost(node, bits);
    const all = [...space.optionsOf(node)].sort(
      (a, b) => cost(a) - cost(b) || a.weights.format.bits - b.weights.format.bits,
    );
    const level = (bits: Scheme) =>
      kind === 'bits'
        ? all.indexOf(bits)
        : kind === 'weights'
          ? bits.weights.format.bits
          : bits.activations.format.bits;
    const open = kind === 'activations' ? all.filter((bits) => bits.weights.format === weights) : all;
    const levels = [...new Set(open.map(level))].sort((a, b) => a - b);
    return { place: (bits: Scheme) => (levels.length > 1 ? levels.indexOf(level(bits)) / (levels.length - 1) : 0) };
  }

  /** Chooses what is allowed and nearest to the action; returns its place. */
  private execute(episode: Unfinished, { node, kind }: Turn, action: number): number {
    const { place } = this.levels(node, kind, episode.weights);
    const distance = (bits: Scheme) => Math.abs(place(bits) - action);
    const allowed = this.environment.space
      .allowed(episode.chosen)
      .filter(({ weights }) => kind !== 'activations' || weights.format === episode.weights);
    const nearest = allowed.reduce((best, bits) => (distance(bits) < distance(best) ? bits : best));
    if (kind === 'weights') episode.weights = nearest.weights.format;
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

/** Settings of the actor-critic agent. */
export interface DdpgOptions {
  /** Units in each hidden layer of actor and critic. */
  readonly hidden: number;
  readonly actorRate: number;
  readonly criticRate: number;
  /** Episodes of random actions before the actor is used. */
  readonly warmup: number;
  /** Deviation of the noise on actions after the warm-up, and what it is multiplied with after every evaluation. */
  readonly noise: number;
  readonly noiseDecay: number;
  readonly leastNoise: number;
  /** Episodes imagined before each evaluation. */
  readonly imagined: number;
  /** Share of these that follow the best episode so far and depart from it at a few turns. */
  readonly followed: number;
  /** Steps of critic and actor after each evaluation, and transitions in each. */
  readonly updates: number;
  readonly batch: number;
  /** Imagined transitions kept; those of real episodes all are. */
  readonly replay: number;
}

const DDPG_DEFAULTS: DdpgOptions = {
  hidden: 48,
  actorRate: 2e-3,
  criticRate: 5e-3,
  warmup: 6,
  noise: 0.5,
  noiseDecay: 0.96,
  leastNoise: 0.1,
  imagined: 64,
  followed: 0.5,
  updates: 12,
  batch: 64,
  replay: 4096,
};

/** Turns at which an episode that follows the best one departs from it, on average. */
const DEPARTURES = 3;

/** Odds of bits between a node's most and fewest in the warm-up, for the detrimental objective. */
const BETWEEN_ODDS = 0.05;

interface Transition {
  readonly situation: Situation;
  readonly action: number;
  /** Fitness that the episode ended with, or is expected to. */
  readonly outcome: number;
}

type Episode = ReturnType<Walk['play']>[number];

/** Normal around `mean`, in [0, 1] itself, inside of [0, 1]. */
function truncatedNormal(mean: number, deviation: number, random: Random): number {
  if (Number.isNaN(mean)) throw new RangeError('ddpg: the actor diverged');
  for (;;) {
    const value = mean + deviation * random.normal();
    if (value >= 0 && value <= 1) return value;
  }
}

class Player {
  private readonly walk: Walk;
  private readonly networks: ActorCritic;
  private readonly model: ValueModel;
  private readonly real: Transition[] = [];
  private readonly imagined: Transition[] = [];
  private readonly outcomes: number[] = [];
  /** How much lowering each node is believed to help, standardised. */
  private beliefs: Float64Array;
  private top:
    | { readonly candidate: NodeSchemes; readonly actions: readonly number[]; readonly fitness: number }
    | undefined;
  private deviation: number;

  constructor(
    private readonly environment: Environment,
    private readonly options: DdpgOptions,
    private readonly random: Random,
  ) {
    this.walk = new Walk(environment);
    this.networks = new ActorCritic({ features: FEATURES, ...options }, random.split('networks'));
    this.model = new ValueModel(environment.space.names.length, noiseCoordinates(environment));
    this.beliefs = new Float64Array(environment.space.names.length);
    this.deviation = options.noise;
  }

  async play(): Promise<void> {
    const { environment, options } = this;
    while (!environment.done) {
      const episode = this.outcomes.length < options.warmup ? this.explore() : this.imagine();
      if (!episode) return;
      const [fitness] = await environment.evaluate([episode.candidate]);
      if (fitness === undefined) return;
      this.observe(episode, fitness);
      for (let i = 0; i < options.updates && this.outcomes.length >= options.warmup; i++) this.update();
    }
  }

  private unseen(episodes: readonly Episode[]): Episode[] {
    const keys = new Set<string>();
    return episodes.filter(({ candidate }) => {
      const key = keyOf(candidate);
      if (keys.has(key) || this.environment.known(candidate) !== undefined) return false;
      keys.add(key);
      return true;
    });
  }

  /**
   * A policy of the budget not evaluated yet, as the episode that leads to it. Harm grows much faster than bits shrink,
   * so where harm is expected nodes rather get the most or the fewest bits than something in between.
   */
  private explore(): Episode | undefined {
    const { environment, random } = this;
    const { space, objective } = environment;
    const between = (node: number, bits: Scheme) => {
      const costs = space.optionsOf(node).map((option) => space.cost(node, option));
      const cost = space.cost(node, bits);
      return cost > Math.min(...costs) && cost < Math.max(...costs);
    };
    const drawn =
      objective === 'detrimental'
        ? space.draw((node, bits) => (between(node, bits) ? BETWEEN_ODDS : 1), random)
        : undefined;
    const candidate = drawn && environment.known(drawn) === undefined ? drawn : environment.unseen(random);
    return candidate && this.walk.retrace(candidate);
  }

  private imagine(): Episode | undefined {
    const { options, random, deviation } = this;
    const follows = this.top ? options.imagined * options.followed : 0;
    const departure = DEPARTURES / this.walk.turns.length;
    const episodes = this.walk.play(options.imagined, (situations) =>
      this.networks.act(this.observations(situations)).map((mean, i) => {
        const explored = truncatedNormal(mean, deviation, random);
        const departs = random.uniform() < departure;
        return i < follows && !departs ? (this.top?.actions[situations[i]?.turn ?? 0] as number) : explored;
      }),
    );
    this.deviation = Math.max(options.leastNoise, deviation * options.noiseDecay);
    const predictions = this.model.predict(episodes.map(({ candidate }) => candidate));
    episodes.forEach(({ steps }, i) => {
      this.imagined.push(...steps.map((step) => ({ ...step, outcome: predictions[i]?.mean as number })));
    });
    this.imagined.splice(0, this.imagined.length - options.replay);
    const fresh = this.unseen(episodes);
    const best = this.top?.fitness ?? Number.NEGATIVE_INFINITY;
    const gains = this.model
      .predict(fresh.map(({ candidate }) => candidate))
      .map((each) => expectedImprovement(each, best));
    return fresh[gains.indexOf(Math.max(...gains))] ?? this.explore();
  }

  private observe({ candidate, steps }: Episode, fitness: number): void {
    this.outcomes.push(fitness);
    this.model.observe(candidate, fitness);
    this.real.push(...steps.map((step) => ({ ...step, outcome: fitness })));
    if (!this.top || fitness > this.top.fitness) {
      this.top = { candidate, actions: steps.map(({ action }) => action), fitness };
    }
    this.believe(this.top.candidate);
  }

  /** What the model expects of each node at the bottom against the top, everything else as in the best policy. */
  private believe(best: NodeSchemes): void {
    const [high, low] = [costliest(this.environment), cheapest(this.environment)];
    const at = (bits: NodeSchemes) =>
      best.map((_, node) => best.map((bit, i) => (i === node ? (bits[i] as typeof bit) : bit)));
    const [lowered, raised] = [this.model.predict(at(low)), this.model.predict(at(high))];
    const effects = lowered.map(({ mean }, i) => mean - (raised[i]?.mean as number));
    this.beliefs = standardised(effects);
  }

  private observations(situations: readonly Situation[]): Float32Array {
    const out = new Float32Array(situations.length * FEATURES);
    situations.forEach((situation, i) => {
      this.walk.observe(situation, this.beliefs, out.subarray(i * FEATURES, (i + 1) * FEATURES));
    });
    return out;
  }

  /** Half of a batch comes from real episodes, half from imagined ones. */
  private update(): void {
    const { random, real, imagined, options } = this;
    const [mean, deviation] = moments(this.outcomes);
    const batch = Array.from({ length: options.batch }, (_, i) => {
      const from = i % 2 === 0 || imagined.length === 0 ? real : imagined;
      return from[random.integer(from.length)] as Transition;
    });
    const returns = Float32Array.from(batch, ({ outcome }) => (outcome - mean) / deviation);
    const actions = Float32Array.from(batch, ({ action }) => action);
    this.networks.learn(this.observations(batch.map(({ situation }) => situation)), actions, returns);
  }
}

/** Mean and deviation, the latter 1 where all are equal. */
function moments(values: ArrayLike<number>): [number, number] {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return [mean, Math.sqrt(variance) || 1];
}

function standardised(values: readonly number[]): Float64Array {
  const [mean, deviation] = moments(values);
  return Float64Array.from(values, (value) => (value - mean) / deviation);
}

/** The agent with other settings. */
export const ddpgWith = (options: Partial<DdpgOptions>) =>
  defineAgent({
    kind: 'static',
    name: 'ddpg',
    description: 'an actor walks the nodes; a critic and a value model teach it',
    play: (environment, random) => new Player(environment, { ...DDPG_DEFAULTS, ...options }, random).play(),
  });

export const ddpg = ddpgWith({});
