// The agent: proximal policy optimization (Schulman et al., arXiv 1707.06347). An episode is one sample's pass through
// the integer network; at each node the actor chooses the bits of that sample's activation, and the reward comes with
// the logits. Thousands of episodes are one forward of a batch. The same sample is rolled out several times, and what
// counts is how much better a roll-out was than their mean: most of the reward is the sample's difficulty.
import type { Value } from '../../autograd/tape.js';
import { keepPart } from '../../run/parts.js';
import { Random } from '../../tensor/random.js';
import { rateAt } from '../../train/schedule.js';
import { yieldToEvents } from '../../train/steps.js';
import { defineAgent, type InputLearner, type LearnerMemory } from '../agent.js';
import type { Decider, Decision, InputPolicy } from '../input_policy.js';
import { type Objective, reward } from '../judge.js';
import { addEntropyGradient, Mlp, softmaxRow } from '../mlp.js';
import { BATCH, classesOf, countOf, gatherSamples, type InputPolicyRunner, type Referenced } from '../runner.js';
import { type GateOptions, gatedPolicy } from './gate.js';

/** Settings of the agent. */
export interface PpoOptions {
  readonly iterations: number;
  /** Samples an iteration. */
  readonly inputs: number;
  /** Roll-outs of each: their mean is the baseline. With one, the critic is. */
  readonly rollouts: number;
  /** Ratios beyond 1 ± this earn no more. */
  readonly clip: number;
  /** Passes over the decisions of an iteration. */
  readonly epochs: number;
  readonly minibatch: number;
  /** Adam's learning rate, down to a tenth along a cosine. */
  readonly rate: number;
  /** Weight of the entropy, going to 0. */
  readonly entropy: number;
  /** Weight of the critic's squared error. */
  readonly value: number;
  /** Units of both hidden layers. */
  readonly hidden: number;
  /** Of the gate that it starts from. */
  readonly gate: Partial<GateOptions>;
}

export const PPO_DEFAULTS: PpoOptions = Object.freeze({
  iterations: 80,
  inputs: 256,
  rollouts: 4,
  clip: 0.2,
  epochs: 3,
  minibatch: 2048,
  rate: 3e-3,
  entropy: 0.01,
  value: 0.5,
  hidden: 64,
  gate: {},
});

/** Iterations between looks at the validation samples. */
const VALIDATE_EVERY = 10;
const RATE_FLOOR = 0.1;
const CLIP_NORM = 0.5;
/** Deviations of the advantage below are noise of rounding: nothing is to be learned from them. */
const LEAST_DEVIATION = 1e-6;

/** An actor and critic for a policy: a logit for each option, then the value of the observation. */
export function makeActor(policy: InputPolicy, hidden: number, seed: number): Mlp {
  const sizes = [policy.features, hidden, hidden, policy.space.width + 1];
  return Mlp.make('actor', sizes, new Random(seed).split('actor'));
}

/** Draws options with the probabilities that the logits give. */
function decideBySampling(random: Random): Decider {
  return ({ samples, logits }, options) => {
    const width = logits.length / samples;
    const p = new Float64Array(width);
    for (let i = 0; i < samples; i++) {
      softmaxRow(logits, i * width, width, p);
      let left = random.uniform();
      let last = 0;
      for (let k = 0; k < width; k++) {
        if ((p[k] as number) <= 0) continue;
        last = k;
        left -= p[k] as number;
        if (left < 0) break;
      }
      options[i] = last;
    }
  };
}

/** Decisions with more than one open option, and what became of their episodes. */
interface Experience {
  /** [rows, features] */
  readonly observations: Float32Array;
  /** [rows, width] */
  readonly offsets: Float32Array;
  readonly options: Uint8Array;
  /** Log-probability of the option when it was drawn. */
  readonly logs: Float32Array;
  /** Number of each decision's episode. */
  readonly episodes: Int32Array;
  /** Of each episode. */
  readonly rewards: Float32Array;
}

const isChoice = (mask: number) => (mask & (mask - 1)) !== 0;

class Recorder {
  private readonly parts: { observations: Float32Array; offsets: Float32Array; options: number[]; logs: number[] }[] =
    [];
  private readonly episodes: number[] = [];

  /** A decider that draws, and keeps what it saw and did of episodes numbered from `first`. */
  decider(first: number, width: number, random: Random): Decider {
    const draw = decideBySampling(random);
    return (decision, options) => {
      draw(decision, options);
      this.keep(decision, options, first, width);
    };
  }

  private keep(decision: Decision, drawn: Uint8Array, first: number, width: number): void {
    const { samples, observation, logits, offsets, open } = decision;
    const features = observation.length / samples;
    const rows: number[] = [];
    for (let i = 0; i < samples; i++) if (isChoice(open[i] as number)) rows.push(i);
    const observations = new Float32Array(rows.length * features);
    const kept = new Float32Array(rows.length * width);
    const options: number[] = [];
    const logs: number[] = [];
    const p = new Float64Array(width);
    rows.forEach((row, at) => {
      observations.set(observation.subarray(row * features, (row + 1) * features), at * features);
      kept.set(offsets.subarray(row * width, (row + 1) * width), at * width);
      softmaxRow(logits, row * width, width, p);
      const option = drawn[row] as number;
      options.push(option);
      logs.push(Math.log(p[option] as number));
      this.episodes.push(first + row);
    });
    this.parts.push({ observations, offsets: kept, options, logs });
  }

  experience(rewards: Float32Array): Experience {
    const join = (arrays: Float32Array[]) => {
      const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const array of arrays) {
        all.set(array, at);
        at += array.length;
      }
      return all;
    };
    return {
      observations: join(this.parts.map(({ observations }) => observations)),
      offsets: join(this.parts.map(({ offsets }) => offsets)),
      options: Uint8Array.from(this.parts.flatMap(({ options }) => options)),
      logs: Float32Array.from(this.parts.flatMap(({ logs }) => logs)),
      episodes: Int32Array.from(this.episodes),
      rewards,
    };
  }
}

/** The agent in training: one iteration after the other, on a network that may itself change in between. */
export class PpoLearner implements InputLearner {
  private readonly random: Random;
  private iteration = 0;
  private readonly actor: Mlp;

  /** `policy` must have an actor; it is trained in place. */
  constructor(
    readonly policy: InputPolicy,
    private readonly options: PpoOptions & {
      readonly objective: Objective;
      readonly seed: number;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    if (!policy.actor) throw new TypeError('ppo: the policy has no actor');
    this.actor = policy.actor;
    this.random = new Random(options.seed).split('ppo');
    this.actor.learn({ kind: 'adam', rate: options.rate, clipNorm: CLIP_NORM });
  }

  /** Rolls out and learns; returns the mean reward of the roll-outs. */
  async iterate(runner: InputPolicyRunner, data: Referenced): Promise<number> {
    const { inputs, rollouts } = this.options;
    const random = this.random.split(String(this.iteration));
    const drawn = Int32Array.from({ length: Math.min(inputs, countOf(data)) }, () => random.integer(countOf(data)));
    // Roll-outs of one sample are neighbours.
    const samples = Int32Array.from(
      { length: drawn.length * rollouts },
      (_, i) => drawn[Math.floor(i / rollouts)] ?? 0,
    );
    const experience = await this.rollOut(runner, data, samples, random.split('options'));
    this.learn(experience, random.split('order'));
    this.iteration += 1;
    let sum = 0;
    for (const reward of experience.rewards) sum += reward;
    return sum / experience.rewards.length;
  }

  memory(): LearnerMemory {
    return { iteration: this.iteration, network: this.actor.state() };
  }

  restore({ iteration, network }: LearnerMemory): void {
    this.iteration = iteration;
    this.actor.restore(network);
  }

  private async rollOut(
    runner: InputPolicyRunner,
    data: Referenced,
    samples: Int32Array,
    random: Random,
  ): Promise<Experience> {
    const recorder = new Recorder();
    const rewards = new Float32Array(samples.length);
    const { width } = this.policy.space;
    const { marginsOf } = classesOf(runner.graph, data);
    for (let start = 0; start < samples.length; start += BATCH) {
      this.options.signal?.throwIfAborted();
      const rows = samples.subarray(start, start + BATCH);
      const pass = this.policy.begin(rows.length, recorder.decider(start, width, random.split(String(start))));
      const logits = runner.logits(pass.choose, gatherSamples(data, rows) as Value);
      const classes = Array.from(rows, (row) => data.reference[row] as number);
      Float32Array.from(marginsOf(logits, classes)).forEach((margin, i) => {
        rewards[start + i] = reward(margin, this.options.objective);
      });
      await yieldToEvents();
    }
    return recorder.experience(rewards);
  }

  /** Advantage of each decision: of its episode over the others of its sample, or over the critic. */
  private advantages({ rewards, episodes, observations }: Experience): Float32Array {
    const { rollouts } = this.options;
    let advantages: Float32Array;
    if (rollouts > 1) {
      const over = rewards.map((reward, i) => {
        const first = i - (i % rollouts);
        let sum = 0;
        for (let k = first; k < first + rollouts; k++) sum += rewards[k] as number;
        return reward - sum / rollouts;
      });
      advantages = Float32Array.from(episodes, (episode) => over[episode] as number);
    } else {
      const values = this.actor.forward(observations, episodes.length);
      const { outputs } = this.actor;
      advantages = Float32Array.from(
        episodes,
        (episode, row) => (rewards[episode] as number) - (values[(row + 1) * outputs - 1] as number),
      );
    }
    let squares = 0;
    for (const advantage of advantages) squares += advantage * advantage;
    const deviation = Math.sqrt(squares / Math.max(1, advantages.length));
    return deviation < LEAST_DEVIATION ? advantages.fill(0) : advantages.map((advantage) => advantage / deviation);
  }

  private learn(experience: Experience, random: Random): void {
    const { epochs, minibatch, iterations, entropy } = this.options;
    const rows = experience.options.length;
    if (rows === 0) return;
    const done = Math.min(this.iteration, iterations - 1);
    const { factor } = rateAt({ kind: 'cosine', floor: RATE_FLOOR }, done, iterations);
    const weight = entropy * (1 - done / iterations);
    const advantages = this.advantages(experience);
    const features = experience.observations.length / rows;
    const order = Int32Array.from({ length: rows }, (_, i) => i);
    for (let epoch = 0; epoch < epochs; epoch++) {
      random.shuffle(order);
      for (let start = 0; start < rows; start += minibatch) {
        const part = order.subarray(start, start + minibatch);
        const x = new Float32Array(part.length * features);
        part.forEach((row, i) => {
          x.set(experience.observations.subarray(row * features, (row + 1) * features), i * features);
        });
        this.actor.step(x, part.length, factor, (y, dy) => this.gradient(experience, advantages, part, weight, y, dy));
      }
    }
  }

  /** Gradient of the clipped surrogate, the entropy and the critic's error, a mean over the rows. */
  private gradient(
    { offsets, options, logs, rewards, episodes }: Experience,
    advantages: Float32Array,
    rows: Int32Array,
    entropy: number,
    y: Float32Array,
    dy: Float32Array,
  ): void {
    const { clip, value } = this.options;
    const { width } = this.policy.space;
    const { outputs } = this.actor;
    const logits = new Float32Array(width);
    const p = new Float64Array(width);
    const share = 1 / rows.length;
    rows.forEach((row, i) => {
      const at = i * outputs;
      for (let k = 0; k < width; k++) logits[k] = (y[at + k] as number) + (offsets[row * width + k] as number);
      softmaxRow(logits, 0, width, p);
      const option = options[row] as number;
      const advantage = advantages[row] as number;
      const ratio = (p[option] as number) / Math.exp(logs[row] as number);
      const clipped = advantage > 0 ? ratio > 1 + clip : ratio < 1 - clip;
      if (!clipped) {
        for (let k = 0; k < width; k++) {
          dy[at + k] = -share * advantage * ratio * ((k === option ? 1 : 0) - (p[k] as number));
        }
      }
      addEntropyGradient(p, width, -share * entropy, dy, at);
      const error = (y[at + width] as number) - (rewards[episodes[row] as number] as number);
      dy[at + width] = share * value * error;
    });
  }
}

/** The agent with other settings. */
export const ppoWith = (options: Partial<PpoOptions>) => {
  const settings = { ...PPO_DEFAULTS, ...options };
  return defineAgent({
    kind: 'input',
    name: 'ppo',
    description: 'bits chosen node by node, starting from the gate',
    play: async (environment, select) => {
      const { objective, seed, signal, onProgress } = environment.settings;
      const start = await gatedPolicy(environment, settings.gate);
      await select(start);
      environment.stage('agent');
      const actor = makeActor(start, settings.hidden, seed);
      const learner = new PpoLearner(start.with({ actor }), { ...settings, objective, seed, signal });
      for (let iteration = 1; iteration <= settings.iterations; iteration++) {
        signal?.throwIfAborted();
        const { mean, memory } = await keepPart('iteration', async () => ({
          mean: await learner.iterate(environment.runner, environment.data),
          memory: learner.memory(),
        }));
        learner.restore(memory);
        onProgress?.(iteration, settings.iterations);
        const last = iteration === settings.iterations;
        if (last || iteration % VALIDATE_EVERY === 0) await select(learner.policy, iteration, mean);
      }
    },
    learner: async (environment) => {
      const { objective, seed, signal } = environment.settings;
      const { base } = environment.see();
      const policy = base.with({ actor: makeActor(base, settings.hidden, seed) });
      return new PpoLearner(policy, { ...settings, objective, seed, signal });
    },
  });
};

export const ppo = ppoWith({});
