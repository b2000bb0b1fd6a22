// What an agent by input works on: a network that runs on integers under bits chosen for each sample, training samples
// with full precision's classes, static policies that complement each other, and what can be seen of an input.

import { keepPart } from '../run/parts.js';
import { PolicyEvaluator } from '../runtime/evaluate_policies.js';
import { Random } from '../tensor/random.js';
import { type Candidates, chooseCandidates, rewardTable } from './candidates.js';
import { DEFAULT_PULL, type Decider, InputPolicy } from './input_policy.js';
import type { Objective } from './judge.js';
import { Observer, rawInputFeatures, STATISTICS, Standardizer } from './observation.js';
import {
  BATCH,
  type Choices,
  choicesOf,
  countOf,
  type InputPolicyRunner,
  type Referenced,
  type RunnerOptions,
  rowsOf,
  sliceSamples,
} from './runner.js';
import type { ActivationSpace } from './space.js';

/** What an agent by input may spend. */
export interface InputEnvironmentOptions extends RunnerOptions {
  readonly objective: Objective;
  /** Of all that is drawn. */
  readonly seed: number;
  /** Cells of the small picture of an input along each side. Default 14. */
  readonly grid?: number | undefined;
  /** Static policies that complement each other. Default 16; with 1 an agent starts from the best static policy. */
  readonly candidates?: number | undefined;
  /** Static policies that are tried at first. Default 1600. */
  readonly pool?: number | undefined;
  /** Training samples that these are tried on. Default 400. */
  readonly screened?: number | undefined;
  /** Static policies that are tried on more samples, the best of the pool. Default 96. */
  readonly finalists?: number | undefined;
  /** Training samples that the finalists are tried on. Default 2000. */
  readonly compared?: number | undefined;
  /** Sees what begins. */
  readonly onStage?: ((stage: string) => void) | undefined;
}

/** What an agent by input may spend, every number of it. */
type InputSettings = Omit<InputEnvironmentOptions, keyof typeof DEFAULTS> & Record<keyof typeof DEFAULTS, number>;

const DEFAULTS = { grid: 14, candidates: 16, pool: 1600, screened: 400, finalists: 96, compared: 2000 } as const;

/** Samples that statistics are standardised by. */
const SCALED_SAMPLES = 1000;

/** What can be seen of some training samples. */
interface Seen {
  readonly data: Referenced;
  /** What a gate sees of them: [samples, features], standardised. */
  readonly features: Float32Array;
  /** A policy that sees so and chooses nothing yet. */
  readonly base: InputPolicy;
}

/** Options drawn uniformly of those that are open. */
function decideUniformly(random: Random): Decider {
  return ({ samples, open, logits }, options) => {
    const width = logits.length / samples;
    for (let i = 0; i < samples; i++) {
      const allowed = Array.from({ length: width }, (_, k) => k).filter((k) => ((open[i] as number) >> k) & 1);
      options[i] = allowed[random.integer(allowed.length)] as number;
    }
  };
}

/** The network, the samples and the settings of one search by input. */
export class InputEnvironment {
  readonly settings: InputSettings;
  private chosen: Promise<Candidates> | undefined;

  /** `choices`: full precision's on the samples, where they are known. */
  constructor(
    readonly runner: InputPolicyRunner,
    readonly space: ActivationSpace,
    readonly data: Referenced,
    options: InputEnvironmentOptions,
    private readonly choices?: Choices,
  ) {
    const supplied = Object.entries(options).filter(([, value]) => value !== undefined);
    this.settings = { ...DEFAULTS, ...Object.fromEntries(supplied) } as InputSettings;
  }

  /** Says what begins. */
  stage(name: string): void {
    this.settings.onStage?.(name);
  }

  /** Static policies that do most for the objective; found once. */
  candidates(): Promise<Candidates> {
    this.chosen ??= this.choose();
    return this.chosen;
  }

  private async choose(): Promise<Candidates> {
    const { runner, space, data, settings } = this;
    this.stage('candidates');
    const choices = this.choices ?? (await choicesOf(runner.graph, data, { signal: settings.signal }));
    return keepPart('candidates', () => chooseCandidates(runner.graph, space, data, choices, settings));
  }

  /** Reward of each static policy on each sample, [samples, policies]. */
  async rewards(policies: readonly Uint8Array[], data: Referenced): Promise<Float32Array> {
    const { objective, signal, onProgress } = this.settings;
    const evaluator = new PolicyEvaluator(this.runner.graph);
    try {
      const table = () => rewardTable(evaluator, this.space, policies, data, objective, { signal, onProgress });
      return await keepPart('rewards', table);
    } finally {
      evaluator.dispose();
    }
  }

  /** What can be seen of the first training samples; default: of all. */
  see(samples = Number.POSITIVE_INFINITY): Seen {
    const observer = new Observer(this.settings.grid);
    const data = sliceSamples(this.data, 0, Math.min(countOf(this.data), samples)) as Referenced;
    const raw = this.inputFeatures(observer, data);
    const base = this.observing(observer, data, raw);
    const features = new Float32Array(raw.length);
    base.inputScale.apply(raw, features, 0, base.inputScale.mean.length);
    return { data, features, base };
  }

  /** Raw features of the gate for all samples, [samples, features]. */
  private inputFeatures(observer: Observer, data: Referenced): Float32Array {
    const { runner, space } = this;
    let all = new Float32Array(0);
    const count = countOf(data);
    for (let start = 0; start < count; start += BATCH) {
      const n = Math.min(BATCH, count - start);
      const features = rawInputFeatures(observer, runner.firstActivation(space, rowsOf(data, start, n)), n);
      const width = features.length / n;
      if (all.length === 0) all = new Float32Array(count * width);
      all.set(features, start * width);
    }
    return all;
  }

  /** A policy that is only able to observe: no candidates, no gate, no actor. */
  private observing(observer: Observer, data: Referenced, inputs: Float32Array): InputPolicy {
    const { runner, space, settings } = this;
    const none = new Standardizer(new Float32Array(STATISTICS), new Float32Array(STATISTICS).fill(1));
    const blind = new InputPolicy({
      ...{ space, observer, candidates: [], gate: undefined, actor: undefined, pull: DEFAULT_PULL },
      inputScale: Standardizer.of(inputs, inputs.length / countOf(data)),
      nodeScales: space.names.map(() => none),
    });
    const count = Math.min(SCALED_SAMPLES, countOf(data));
    const rows = space.names.map(() => new Float32Array(count * STATISTICS));
    const random = new Random(settings.seed).split('scales');
    for (let start = 0; start < count; start += BATCH) {
      const n = Math.min(BATCH, count - start);
      const pass = blind.begin(n, decideUniformly(random));
      runner.logits(
        (node, activation) => {
          const place = space.place(node.name);
          const placed = place === undefined ? undefined : rows[place];
          if (placed) observer.statistics(activation, n, placed.subarray(start * STATISTICS, (start + n) * STATISTICS));
          return pass.choose(node, activation);
        },
        rowsOf(data, start, n),
      );
    }
    return blind.with({ nodeScales: rows.map((row) => Standardizer.of(row, STATISTICS)) });
  }
}
