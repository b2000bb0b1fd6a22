// The gate's training. Every candidate's reward on every training sample is known, so there is nothing to explore: the
// gradient of the expected reward is exact (a bandit with full information), and the noise that hinders roll-outs is
// absent.
import { Random } from '../../tensor/random.js';
import { rateAt } from '../../train/schedule.js';
import { yieldToEvents } from '../../train/steps.js';
import { Mlp } from '../mlp.js';
import type { RunOptions } from '../runner.js';

export interface GateOptions extends RunOptions {
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
  readonly seed: number;
}

export const GATE_DEFAULTS = {
  hidden: 256,
  epochs: 15,
  batchSize: 256,
  rate: 1e-3,
  weightDecay: 0.03,
  entropy: 0.05,
} as const satisfies Partial<GateOptions>;

const RATE_FLOOR = 0.02;
const CLIP_NORM = 1;
const LEAST_PROBABILITY = 1e-12;

/** Probabilities of a row of logits, written to `out`. */
export function softmaxRow(logits: Float32Array, at: number, count: number, out: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) most = Math.max(most, logits[at + k] as number);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    out[k] = Math.exp((logits[at + k] as number) - most);
    sum += out[k] as number;
  }
  for (let k = 0; k < count; k++) (out[k] as number) /= sum;
}

/** In nats, of the first `count` probabilities. */
export function entropyOf(probabilities: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const p = probabilities[k] as number;
    sum -= p * Math.log(Math.max(p, LEAST_PROBABILITY));
  }
  return sum;
}

/** Adds the gradient of the entropy with respect to the logits, times `factor`. */
export function addEntropyGradient(p: Float64Array, count: number, factor: number, out: Float32Array, at: number) {
  const entropy = entropyOf(p, count);
  for (let k = 0; k < count; k++) {
    const own = p[k] as number;
    (out[at + k] as number) -= factor * own * (Math.log(Math.max(own, LEAST_PROBABILITY)) + entropy);
  }
}

/** features: [samples, …] standardised; rewards: [samples, candidates]. Deterministic from the seed. */
export async function trainGate(
  features: Float32Array,
  rewards: Float32Array,
  candidates: number,
  options: GateOptions,
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
          softmaxRow(y, at, candidates, p);
          let expected = 0;
          for (let k = 0; k < candidates; k++) expected += (p[k] as number) * (rewards[row * candidates + k] as number);
          for (let k = 0; k < candidates; k++) {
            const advantage = (rewards[row * candidates + k] as number) - expected;
            dy[at + k] = (-(p[k] as number) * advantage) / batch;
          }
          addEntropyGradient(p, candidates, -entropy / batch, dy, at);
        });
      });
    }
    onProgress?.(epoch + 1, epochs);
    await yieldToEvents();
  }
  return gate;
}
