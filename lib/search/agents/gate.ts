// The gate: an agent that looks at the input once and chooses one of a few static policies that complement each other.
// Every candidate's reward on every training sample is known, so there is nothing to explore: the gradient of the
// expected reward is exact (a bandit with full information), and the noise that hinders roll-outs is absent. Beside a
// network in training it starts from one candidate for each kind of input, and improves on the rewards of the network
// as it is.
import { keepPart } from '../../run/parts.js';
import { Random } from '../../tensor/random.js';
import { rateAt } from '../../train/schedule.js';
import { yieldToEvents } from '../../train/steps.js';
import { defineAgent, type InputLearner, type LearnerMemory } from '../agent.js';
import type { InputEnvironment } from '../input_environment.js';
import type { InputPolicy } from '../input_policy.js';
import { type Objective, reward } from '../judge.js';
import { addEntropyGradient, Mlp, softmaxRow } from '../mlp.js';
import {
  BATCH,
  classesOf,
  countOf,
  fixedBits,
  gatherSamples,
  type InputPolicyRunner,
  type Referenced,
  type RunnerOptions,
  repeatOptions,
} from '../runner.js';
import type { ActivationSpace } from '../space.js';

/** How a gate is trained. */
export interface GateOptions {
  /** Units of both hidden layers. */
  readonly hidden: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** AdamW's learning rate, down to a fiftieth along a cosine. */
  readonly rate: number;
  /** Of AdamW: candidates differ little on most samples, and a gate without it learns the samples by heart. */
  readonly weightDecay: number;
  /** Weight of the entropy, going to 0: keeps the gate from settling on the best static policy. */
  readonly entropy: number;
  /** Training samples at most. */
  readonly samples: number;
}

export const GATE_DEFAULTS: GateOptions = Object.freeze({
  hidden: 256,
  epochs: 15,
  batchSize: 256,
  rate: 1e-3,
  weightDecay: 0.03,
  entropy: 0.05,
  samples: Number.POSITIVE_INFINITY,
});

const RATE_FLOOR = 0.02;
const CLIP_NORM = 1;

/**
 * Expected reward of row `from` of rewards under the probabilities `p` of the logits at `at`. Writes the gradient of its
 * negative, a mean over `rows`, to `dy`.
 */
function expectedReward(
  [y, dy, at]: readonly [Float32Array, Float32Array, number],
  rewards: Float32Array,
  from: number,
  p: Float64Array,
  rows: number,
): number {
  softmaxRow(y, at, p.length, p);
  let expected = 0;
  for (let k = 0; k < p.length; k++) expected += (p[k] as number) * (rewards[from + k] as number);
  for (let k = 0; k < p.length; k++) {
    dy[at + k] = (-(p[k] as number) * ((rewards[from + k] as number) - expected)) / rows;
  }
  return expected;
}

/** features: [samples, …] standardised; rewards: [samples, candidates]. Deterministic from the seed. */
export async function trainGate(
  features: Float32Array,
  rewards: Float32Array,
  candidates: number,
  options: GateOptions & RunnerOptions & { readonly seed: number },
): Promise<Mlp> {
  const { hidden, epochs, seed, signal, onProgress } = options;
  const samples = rewards.length / candidates;
  const width = features.length / samples;
  const random = new Random(seed).split('gate');
  const gate = Mlp.make('gate', [width, hidden, hidden, candidates], random);
  const { rate, weightDecay } = options;
  gate.learn({ kind: 'adamw', rate, weightDecay, clipNorm: CLIP_NORM });
  const batch = Math.min(options.batchSize, samples);
  const each = Math.floor(samples / batch);
  const steps = epochs * each;
  const x = new Float32Array(batch * width);
  const p = new Float64Array(candidates);
  const learn = async () => {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = random
        .split('order')
        .split(String(epoch))
        .shuffle(Int32Array.from({ length: samples }, (_, i) => i));
      for (let b = 0; b < each; b++) {
        signal?.throwIfAborted();
        const step = epoch * each + b;
        const rows = order.subarray(b * batch, (b + 1) * batch);
        rows.forEach((row, i) => {
          x.set(features.subarray(row * width, (row + 1) * width), i * width);
        });
        const entropy = options.entropy * (1 - step / steps);
        gate.step(x, batch, rateAt({ kind: 'cosine', floor: RATE_FLOOR }, step, steps).factor, (y, dy) => {
          rows.forEach((row, i) => {
            const at = i * candidates;
            expectedReward([y, dy, at], rewards, row * candidates, p, batch);
            addEntropyGradient(p, candidates, -entropy / batch, dy, at);
          });
        });
      }
      onProgress?.(epoch + 1, epochs);
      await yieldToEvents();
    }
    return gate.state();
  };
  gate.restore(await keepPart('gate', learn));
  return gate;
}

/** The candidates of an environment, and a gate between them where there are several. */
export async function gatedPolicy(
  environment: InputEnvironment,
  options: Partial<GateOptions> = {},
): Promise<InputPolicy> {
  const settings = { ...GATE_DEFAULTS, ...options };
  const { seed, signal, onProgress } = environment.settings;
  const { candidates } = await environment.candidates();
  environment.stage('gate');
  const { data, features, base } = environment.see(settings.samples);
  const policy = base.with({ candidates });
  if (candidates.length < 2) return policy;
  const rewards = await environment.rewards(candidates, data);
  const gate = await trainGate(features, rewards, candidates.length, { ...settings, seed, signal, onProgress });
  return policy.with({ gate });
}

/**
 * Of the learner: samples an iteration, each under every candidate; Adam's rate, as there are only a few hundred steps.
 */
const LEARNER = { samples: 128, rate: 1e-3 };

/** Improves a policy's gate by the exact gradient of the expected reward: every candidate is tried on every sample. */
class GateLearner implements InputLearner {
  private readonly random: Random;
  private iteration = 0;

  /** `gate`: the policy's; it is trained in place. */
  constructor(
    readonly policy: InputPolicy,
    private readonly gate: Mlp,
    private readonly objective: Objective,
    seed: number,
  ) {
    this.random = new Random(seed).split('gate agent');
    gate.learn({ kind: 'adam', rate: LEARNER.rate, clipNorm: CLIP_NORM });
  }

  async iterate(runner: InputPolicyRunner, data: Referenced): Promise<number> {
    const { candidates, space } = this.policy;
    const random = this.random.split(String(this.iteration));
    this.iteration += 1;
    const count = Math.min(LEARNER.samples, countOf(data));
    const rows = Int32Array.from({ length: count }, () => random.integer(countOf(data)));
    const rewards = new Float32Array(count * candidates.length);
    const { marginsOf } = classesOf(runner.graph, data);
    let features = new Float32Array(0);
    for (let start = 0; start < count; start += BATCH) {
      const part = rows.subarray(start, start + BATCH);
      const n = part.length;
      const x = gatherSamples(data, part);
      const batch = this.policy.inputFeatures(runner.firstActivation(space, x), n);
      if (features.length === 0) features = new Float32Array((count * batch.length) / n);
      features.set(batch, (start * batch.length) / n);
      const classes = Array.from(part, (row) => data.reference[row] as number);
      candidates.forEach((candidate, k) => {
        const logits = runner.logits(fixedBits(space, repeatOptions(candidate, n), n), x);
        Float32Array.from(marginsOf(logits, classes)).forEach((margin, i) => {
          rewards[(start + i) * candidates.length + k] = reward(margin, this.objective);
        });
      });
    }
    return this.learn(features, rewards, count);
  }

  memory(): LearnerMemory {
    return { iteration: this.iteration, network: this.gate.state() };
  }

  restore({ iteration, network }: LearnerMemory): void {
    this.iteration = iteration;
    this.gate.restore(network);
  }

  private learn(features: Float32Array, rewards: Float32Array, count: number): number {
    const width = this.policy.candidates.length;
    const p = new Float64Array(width);
    let total = 0;
    this.gate.step(features, count, 1, (y, dy) => {
      for (let at = 0; at < count * width; at += width) {
        total += expectedReward([y, dy, at], rewards, at, p, count);
      }
    });
    return total / count;
  }
}

/** Bits by which two policies differ, over all nodes. */
export function distance(space: ActivationSpace, a: Uint8Array, b: Uint8Array): number {
  return space.options.reduce((sum, bits, node) => {
    return sum + Math.abs((bits[a[node] as number] as number) - (bits[b[node] as number] as number));
  }, 0);
}

/** `count` policies far from each other, the first of them first: each next is the farthest from all before it. */
export function farApart(space: ActivationSpace, policies: readonly Uint8Array[], count: number): Uint8Array[] {
  const chosen = policies.slice(0, 1);
  while (chosen.length < Math.min(count, policies.length)) {
    let [best, most] = [0, -1];
    policies.forEach((policy, i) => {
      const nearest = Math.min(...chosen.map((each) => distance(space, each, policy)));
      if (nearest > most) [best, most] = [i, nearest];
    });
    chosen.push(policies[best] as Uint8Array);
  }
  return chosen;
}

const K_MEANS_ITERATIONS = 30;

/**
 * Number of the cluster of each row of features, [rows]: k-means (Lloyd) from rows far apart (k-means++; Arthur &
 * Vassilvitskii, 2007).
 */
export function kMeans(features: Float32Array, rows: number, clusters: number, random: Random): Int32Array {
  const width = features.length / rows;
  const squared = (row: number, center: Float64Array) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += ((features[row * width + j] as number) - (center[j] as number)) ** 2;
    return sum;
  };
  const rowOf = (row: number) => Float64Array.from(features.subarray(row * width, (row + 1) * width));
  const centers = [rowOf(random.integer(rows))];
  while (centers.length < clusters) {
    const near = Array.from({ length: rows }, (_, row) => Math.min(...centers.map((center) => squared(row, center))));
    let left = random.uniform() * near.reduce((sum, value) => sum + value, 0);
    let next = 0;
    while (next < rows - 1 && left >= (near[next] as number)) {
      left -= near[next] as number;
      next += 1;
    }
    centers.push(rowOf(next));
  }
  const cluster = new Int32Array(rows);
  for (let iteration = 0; iteration < K_MEANS_ITERATIONS; iteration++) {
    let changed = false;
    for (let row = 0; row < rows; row++) {
      const distances = centers.map((center) => squared(row, center));
      const nearest = distances.indexOf(Math.min(...distances));
      if (nearest !== cluster[row]) changed = true;
      cluster[row] = nearest;
    }
    if (!changed && iteration > 0) break;
    centers.forEach((center, k) => {
      const members = Array.from(cluster.keys()).filter((row) => cluster[row] === k);
      if (members.length === 0) return;
      center.fill(0);
      for (const row of members) {
        for (let j = 0; j < width; j++) (center[j] as number) += (features[row * width + j] as number) / members.length;
      }
    });
  }
  return cluster;
}

/** A gate that sends each kind of input to another candidate; kinds are clusters of what the gate sees. */
async function clusterGate(features: Float32Array, rows: number, candidates: number, seed: number): Promise<Mlp> {
  const cluster = kMeans(features, rows, candidates, new Random(seed).split('clusters'));
  const rewards = new Float32Array(rows * candidates);
  cluster.forEach((nearest, row) => {
    rewards[row * candidates + nearest] = 1;
  });
  // A network separates only what is sharp: no entropy, no decay.
  return trainGate(features, rewards, candidates, { ...GATE_DEFAULTS, entropy: 0, weightDecay: 0, seed });
}

/** A gate between candidates far from each other, for each kind of input one. */
async function startLearner(environment: InputEnvironment): Promise<InputLearner> {
  const { space, data, settings } = environment;
  const { objective, seed } = settings;
  const { features, base } = environment.see();
  const { finalists } = await environment.candidates();
  const candidates = farApart(space, finalists, settings.candidates);
  const gate = await clusterGate(features, countOf(data), candidates.length, seed);
  return new GateLearner(base.with({ candidates, gate }), gate, objective, seed);
}

/** The agent with other settings. */
export const gateWith = (options: Partial<GateOptions>) =>
  defineAgent({
    kind: 'input',
    name: 'gate',
    description: 'one of a few static policies, chosen by a look at the input',
    play: async (environment, select) => select(await gatedPolicy(environment, options)),
    learner: startLearner,
  });

export const gate = gateWith({});
