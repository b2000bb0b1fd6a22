// What is searched: the policies of a budget, scored on integers. A search maximises `fitness`: that of the worst policy
// when the goal is 'worst', and ties of the measure are broken by the mean probability of the class.

import { InvalidArgumentError } from '../core/errors.js';
import type { Graph } from '../graph/graph.js';
import type { BudgetSpace } from '../quant/budget.js';
import { type EvaluationData, PolicyEvaluator } from '../quant/evaluate_policies.js';
import type { IntegerPlanOptions } from '../quant/integer_plan.js';
import type { Policy } from '../quant/policy.js';
import { describeLayers, type Layer } from './layers.js';

/** Which end of the landscape: the policy that does most harm, or the one that does least. */
export type Goal = 'worst' | 'best';
/** Share of the samples that get the class of their label, or the class that full precision gives them. */
export type Measure = 'accuracy' | 'agreement';

/** What a policy comes to on the samples of a search. */
export interface Score {
  /** The measure, a share. */
  readonly value: number;
  /** Mean softmax probability of the sample's class (label or reference): moves where the measure does not. */
  readonly confidence: number;
}

/** What a search is given: policies to choose from, and their scores on demand. */
export interface SearchProblem {
  readonly space: BudgetSpace;
  /** The nodes of the space, in its order. */
  readonly layers: readonly Layer[];
  readonly goal: Goal;
  readonly measure: Measure;
  /** How many samples a score is a mean of. */
  readonly samples: number;
  /** Scores of any policies of the network, in order; those outside of the budget too. */
  score(policies: readonly Policy[], options: { readonly signal?: AbortSignal | undefined }): Promise<Score[]>;
}

/** What a search is for. */
export interface PolicyProblemOptions {
  readonly goal: Goal;
  /** Default: agreement where the data has a reference, else accuracy. */
  readonly measure?: Measure | undefined;
  /** Of the integer plan. */
  readonly plan?: Omit<IntegerPlanOptions, 'keep'> | undefined;
}

/** Less than one sample's share of the measure, so that it only decides between equals. */
const TIE_WEIGHT = 0.5;

/** What a search maximises. */
export function fitness({ goal, samples }: Pick<SearchProblem, 'goal' | 'samples'>, score: Score): number {
  const whole = score.value + (TIE_WEIGHT * score.confidence) / samples;
  return goal === 'worst' ? -whole : whole;
}

/** The problem of a network on data; `dispose` frees its integer plan. */
export class PolicyProblem implements SearchProblem {
  readonly layers: readonly Layer[];
  readonly goal: Goal;
  readonly measure: Measure;
  readonly samples: number;
  private readonly evaluator: PolicyEvaluator;
  private readonly classes: ArrayLike<number>;

  /** Throws InvalidArgumentError on data without samples or without what the measure needs, GraphError on the graph. */
  constructor(
    readonly graph: Graph,
    private readonly data: EvaluationData,
    readonly space: BudgetSpace,
    options: PolicyProblemOptions,
  ) {
    const { goal, measure = data.reference ? 'agreement' : 'accuracy' } = options;
    [this.samples = 0] = data.dims;
    if (!(this.samples > 0)) throw new InvalidArgumentError('search', 'data', 'one or more samples', 'none');
    const classes = measure === 'accuracy' ? data.labels : data.reference;
    if (!classes) {
      const expected = measure === 'accuracy' ? 'labels' : 'classes of full precision (reference)';
      throw new InvalidArgumentError('search', 'data', `${expected} to measure ${measure} by`, 'none');
    }
    this.goal = goal;
    this.measure = measure;
    this.classes = classes;
    this.layers = describeLayers(graph, space.names);
    this.evaluator = new PolicyEvaluator(graph, options.plan);
  }

  async score(
    policies: readonly Policy[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Score[]> {
    const results = await this.evaluator.evaluate(policies, this.data, { signal: options.signal, logits: true });
    return results.map(({ accuracy, agreement, logits }) => ({
      value: (this.measure === 'accuracy' ? accuracy : agreement) as number,
      confidence: meanProbability(logits as Float32Array, this.classes),
    }));
  }

  /** Frees packed weights and values. */
  dispose(): void {
    this.evaluator.dispose();
  }
}

/** Mean over samples of the softmax probability of their class. logits: [samples, classes], wanted: [samples]. */
export function meanProbability(logits: Float32Array, expected: ArrayLike<number>): number {
  const samples = expected.length;
  const classes = logits.length / samples;
  let sum = 0;
  for (let sample = 0; sample < samples; sample++) {
    const at = sample * classes;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < classes; i++) largest = Math.max(largest, logits[at + i] as number);
    let total = 0;
    for (let i = 0; i < classes; i++) total += Math.exp((logits[at + i] as number) - largest);
    sum += Math.exp((logits[at + (expected[sample] as number)] as number) - largest) / total;
  }
  return sum / samples;
}
