// The agents that a pair is learned with: an input-conditioned policy that is improved now and then on the network as it
// is by then.
import type { EvaluationData } from '../quant/evaluate_policies.js';
import { Random } from '../tensor/random.js';
import { GATE_DEFAULTS, softmaxRow, trainGate } from './agents/gate.js';
import type { InputPolicy } from './input_policy.js';
import type { Mlp } from './mlp.js';
import { BATCH, countOf, fixedBits, gather, margins, type Objective, type Runner, reward } from './runner.js';
import type { ActivationSpace } from './space.js';

export type Referenced = EvaluationData & { readonly reference: ArrayLike<number> };

/** PpoAgent is one. */
export interface PairAgent {
  readonly policy: InputPolicy;
  /** Learns from some of the samples; returns the mean reward. */
  iterate(runner: Runner, data: Referenced): Promise<number>;
}

export interface GateAgentOptions {
  readonly objective: Objective;
  /** Samples an iteration: each is run under every candidate. */
  readonly inputs: number;
  /** Adam's. */
  readonly rate: number;
  readonly seed: number;
}

const CLIP_NORM = 1;

/** Improves a policy's gate by the exact gradient of the expected reward: every candidate is tried on every sample. */
export class GateAgent implements PairAgent {
  private readonly gate: Mlp;
  private readonly random: Random;
  private iteration = 0;

  /** `policy` must have a gate; it is trained in place. */
  constructor(
    readonly policy: InputPolicy,
    private readonly options: GateAgentOptions,
  ) {
    if (!policy.gate) throw new TypeError('GateAgent: the policy has no gate');
    this.gate = policy.gate;
    this.random = new Random(options.seed).split('gate agent');
    this.gate.learn({ kind: 'adam', rate: options.rate, clipNorm: CLIP_NORM });
  }

  async iterate(runner: Runner, data: Referenced): Promise<number> {
    const { candidates, space } = this.policy;
    const random = this.random.split(String(this.iteration));
    this.iteration += 1;
    const count = Math.min(this.options.inputs, countOf(data));
    const rows = Int32Array.from({ length: count }, () => random.integer(countOf(data)));
    const rewards = new Float32Array(count * candidates.length);
    let features = new Float32Array(0);
    for (let start = 0; start < count; start += BATCH) {
      const part = rows.subarray(start, start + BATCH);
      const n = part.length;
      const x = gather(data, part);
      const own = this.policy.inputFeatures(runner.firstActivation(space, x), n);
      if (features.length === 0) features = new Float32Array((count * own.length) / n);
      features.set(own, (start * own.length) / n);
      const classes = Array.from(part, (row) => data.reference[row] as number);
      candidates.forEach((candidate, k) => {
        const logits = runner.logits(fixedBits(space, repeated(candidate, n), n), x);
        margins(logits, classes, n).forEach((margin, i) => {
          rewards[(start + i) * candidates.length + k] = reward(margin, this.options.objective);
        });
      });
    }
    return this.learn(features, rewards, count);
  }

  private learn(features: Float32Array, rewards: Float32Array, count: number): number {
    const width = this.policy.candidates.length;
    const p = new Float64Array(width);
    let total = 0;
    this.gate.step(features, count, 1, (y, dy) => {
      for (let at = 0; at < count * width; at += width) {
        softmaxRow(y, at, width, p);
        let expected = 0;
        for (let k = 0; k < width; k++) expected += (p[k] as number) * (rewards[at + k] as number);
        total += expected;
        for (let k = 0; k < width; k++) {
          dy[at + k] = (-(p[k] as number) * ((rewards[at + k] as number) - expected)) / count;
        }
      }
    });
    return total / count;
  }
}

/** The same option numbers for `count` samples. */
export function repeated(options: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(options.length * count);
  for (let i = 0; i < count; i++) all.set(options, i * options.length);
  return all;
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
      const nearest = Math.min(...chosen.map((own) => distance(space, own, policy)));
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
      const own = distances.indexOf(Math.min(...distances));
      if (own !== cluster[row]) changed = true;
      cluster[row] = own;
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

/** A gate that sends each kind of input to a candidate of its own; kinds are clusters of what the gate sees. */
export async function clusterGate(
  features: Float32Array,
  rows: number,
  candidates: number,
  seed: number,
): Promise<Mlp> {
  const cluster = kMeans(features, rows, candidates, new Random(seed).split('clusters'));
  const rewards = new Float32Array(rows * candidates);
  cluster.forEach((own, row) => {
    rewards[row * candidates + own] = 1;
  });
  // Only what is sharp can be told apart by a network: no entropy, no decay.
  return trainGate(features, rewards, candidates, { ...GATE_DEFAULTS, entropy: 0, weightDecay: 0, seed });
}
