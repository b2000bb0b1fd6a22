// Judges policies on integers: the measure of a policy on samples, and what an objective makes of it. Every search, of
// either kind, maximises a fitness or a reward of this file.

import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError } from '../core/errors.js';
import type { Graph } from '../graph/graph.js';
import type { BudgetSpace } from '../policy/budget.js';
import type { Policy } from '../policy/policy.js';
import { keepPart } from '../run/parts.js';
import type { IntegerOptions } from '../runtime/backends/integer.js';
import { type EvaluationData, PolicyEvaluator } from '../runtime/evaluate_policies.js';
import { taskOf } from '../tasks/index.js';
import type { Measure } from '../tasks/task.js';
import { keyOf, schemesOf } from './space.js';

/** What a policy is searched for: to do most harm to full precision's predictions, or least. */
export type Objective = 'detrimental' | 'robust';

/** −1 where a small measure is sought, 1 where a large one is. */
export const signOf = (objective: Objective): 1 | -1 => (objective === 'detrimental' ? -1 : 1);

/** The policy that an objective looks for, in a word. */
export const extremeOf = (objective: Objective): 'worst' | 'best' => (objective === 'detrimental' ? 'worst' : 'best');

/** Score of a policy on the samples of a search. */
export interface Score {
  /** The measure, 0–1. */
  readonly value: number;
  /** The task's support of what is expected (label or reference): moves where the measure does not. */
  readonly confidence: number;
}

/** Less than one sample's share of the measure, so that it only decides between equals. */
const TIE_WEIGHT = 0.5;

/** What a search of static policies maximises: the measure, or its negative; ties are broken by the confidence. */
export function fitness(objective: Objective, samples: number, { value, confidence }: Score): number {
  return signOf(objective) * (value + (TIE_WEIGHT * confidence) / samples);
}

/** How far a measure is from that of the optimum, in the unit of both; 0 for the optimum. */
export function regretOf(objective: Objective, value: number, optimum: number): number {
  const sign = signOf(objective);
  return sign * optimum - sign * value;
}

/**
 * What an agent by input maximises on each sample: the logistic function of the margin or of its negative, in [0, 1].
 * Bounded, so that what counts is whether the class is lost and not how clearly.
 */
export function reward(margin: number, objective: Objective): number {
  const value = 1 / (1 + Math.exp(-signOf(objective) * margin));
  return Number.isFinite(value) ? value : 0;
}

/** Runs policies and scores them. */
export interface Scorer {
  readonly measure: Measure;
  /** How many samples a score is a mean of. */
  readonly samples: number;
  /** Scores of any policies of the network, in order; those outside of the budget too. */
  score(policies: readonly Policy[], signal?: AbortSignal): Promise<Score[]>;
  /** Frees packed weights and values. */
  dispose?(): void;
}

/** How policies are scored on data. */
interface ScorerOptions {
  /** Default: agreement where the data has a reference, else accuracy. */
  readonly measure?: Measure | undefined;
  /** Of the integer backend. */
  readonly plan?: IntegerOptions | undefined;
}

/**
 * Scores of a network on data, from integers. Throws InvalidArgumentError on data without samples or without what the
 * measure needs, GraphError on the graph.
 */
function integerScorer(graph: Graph, data: EvaluationData, options: ScorerOptions = {}): Scorer {
  const { measure = data.reference ? 'agreement' : 'accuracy' } = options;
  const [samples = 0] = data.dims;
  if (!(samples > 0)) throw new InvalidArgumentError('search', 'data', 'one or more samples', 'none');
  const answers = measure === 'accuracy' ? data.labels : data.reference;
  if (!answers) {
    const expected = measure === 'accuracy' ? 'labels' : 'answers of full precision (reference)';
    throw new InvalidArgumentError('search', 'data', `${expected} to measure ${measure} by`, 'none');
  }
  const { task = taskOf(graph) } = data;
  const evaluator = new PolicyEvaluator(graph, options.plan);
  return {
    measure,
    samples,
    async score(policies, signal) {
      const results = await evaluator.evaluate(policies, data, { signal, logits: true });
      return results.map(({ logits, ...result }) => ({
        value: result[measure] as number,
        confidence: task.support(logits as Float32Array, answers),
      }));
    },
    dispose: () => evaluator.dispose(),
  };
}

/** Logits of one call are held at once: samples times policies stay below this. */
const SAMPLES_AT_ONCE = 2 ** 18;
const MOST_AT_ONCE = 256;

/** The policies of a budget with their scores on demand, each computed once. */
export class Judge {
  readonly measure: Measure;
  readonly samples: number;
  private readonly known = new Map<string, { readonly policy: Policy; readonly score: Score }>();

  constructor(
    readonly graph: Graph,
    readonly space: BudgetSpace,
    private readonly scorer: Scorer,
  ) {
    ({ measure: this.measure, samples: this.samples } = scorer);
  }

  /** Judges on data, from integers; throws as `integerScorer` does. `dispose` frees its memory. */
  static onIntegers(graph: Graph, space: BudgetSpace, data: EvaluationData, options?: ScorerOptions): Judge {
    return new Judge(graph, space, integerScorer(graph, data, options));
  }

  /** Policies that are scored at once: their logits are held together. */
  get atOnce(): number {
    return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(SAMPLES_AT_ONCE / this.samples)));
  }

  /** Scores of policies, in order; those outside of the budget too. */
  async score(policies: readonly Policy[], signal?: AbortSignal): Promise<Score[]> {
    const keys = policies.map((policy) => keyOf(schemesOf(policy)));
    const fresh = new Map<string, Policy>();
    keys.forEach((key, i) => {
      if (!this.known.has(key)) fresh.set(key, policies[i] as Policy);
    });
    const pending = [...fresh];
    for (let from = 0; from < pending.length; from += this.atOnce) {
      const part = pending.slice(from, from + this.atOnce);
      const unknown = part.map(([, policy]) => policy);
      const scores = await keepPart('scores', () => this.scorer.score(unknown, signal));
      part.forEach(([key, policy], i) => {
        this.known.set(key, { policy, score: scores[i] as Score });
      });
    }
    if (pending.length === 0) {
      // Nothing was run, so nothing has let a timer fire, which may be what ends the search.
      await setImmediate();
      signal?.throwIfAborted();
    }
    return keys.map((key) => this.known.get(key)?.score as Score);
  }

  /** The best of the budget's policies that were scored, of equals the first; undefined where none was. */
  best(objective: Objective): Policy | undefined {
    let best: Policy | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const { policy, score } of this.known.values()) {
      if (!this.space.has(policy)) continue;
      const value = fitness(objective, this.samples, score);
      if (value > most) [best, most] = [policy, value];
    }
    return best;
  }

  /** The measure of every policy of the budget, ascending, shares. */
  async landscape(signal?: AbortSignal): Promise<number[]> {
    const scores = await this.score([...this.space.policies()], signal);
    return scores.map(({ value }) => value).sort((a, b) => a - b);
  }

  /** Frees the scorer's memory. */
  dispose(): void {
    this.scorer.dispose?.();
  }
}
