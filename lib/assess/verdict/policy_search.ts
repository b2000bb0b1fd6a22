// The worst and the best policy that a search finds in a budget, on the network as it is: nothing is trained. Several
// agents get the same number of evaluations, so that what one finds can be held against plain baselines.
import { setImmediate } from 'node:timers/promises';
import type { Graph } from '../../graph/graph.js';
import type { BudgetSpace } from '../../quant/budget.js';
import { formatBits, type Policy, type PolicyJson, policyToJson } from '../../quant/policy.js';
import type { SearchAgent } from '../../search/agent.js';
import { AGENTS } from '../../search/agents/index.js';
import { fitness, type Goal, meanProbability, type Score, type SearchProblem } from '../../search/judge.js';
import { describeLayers, type Layer } from '../../search/layers.js';
import type { Measure } from '../measure/figures.js';
import type { Measurer } from '../measure/measurer.js';
import type { Samples } from '../samples.js';

/** What one agent found towards one goal. */
export interface AgentFound {
  readonly agent: string;
  readonly goal: Goal;
  readonly evaluations: number;
  /** Percent, on the samples searched on. */
  readonly value: number;
  /** [evaluations, percent] of every improvement. */
  readonly history: readonly (readonly [number, number])[];
}

/** What agents found in a budget, each with as many evaluations. */
export interface PolicySearch {
  /** Effective bits that every policy of the budget has. */
  readonly bits: number;
  readonly choices: readonly string[];
  /** Policies in the budget. */
  readonly policies: string;
  readonly samples: number;
  readonly agents: readonly AgentFound[];
  readonly worst: PolicyJson;
  readonly best: PolicyJson;
  /** Whether time ran out before the agents were done: what is told is the best so far. */
  readonly cut: boolean;
}

/** What agents found in a budget, each with as many evaluations. */
export interface PolicySearchOptions {
  readonly evaluations: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Aborted when time is up: the search ends with what it has. */
  readonly deadline?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Tried in this order; random is the baseline that the others have to beat. Not among them: bayes and ddpg, which found
 * nothing better in as many evaluations on three networks of 10 nodes and one of 21, and took as long as these together.
 */
const PREFERRED = ['sensitivity', 'greedy', 'cem', 'random'];

const keyOf = (policy: Policy) => [...policy.bits.values()].map(formatBits).join(' ');

/** Scores by a Measurer, chunk by chunk; those known already cost no time. */
class MeasuredProblem implements SearchProblem {
  readonly layers: readonly Layer[];
  readonly samples: number;
  goal: Goal = 'worst';
  private readonly known: Map<string, { readonly policy: Policy; readonly score: Score }> = new Map();

  constructor(
    graph: Graph,
    readonly space: BudgetSpace,
    readonly measure: Measure,
    private readonly measurer: Measurer,
    private readonly data: Samples,
    private readonly expected: Int32Array,
  ) {
    this.layers = describeLayers(graph, space.names);
    this.samples = data.count;
  }

  async score(policies: readonly Policy[], options: { readonly signal?: AbortSignal | undefined }): Promise<Score[]> {
    const fresh = policies.filter((policy) => !this.known.has(keyOf(policy)));
    const correct = new Float64Array(fresh.length);
    const confidence = new Float64Array(fresh.length);
    const visit = (index: number, logits: Float32Array, start: number, count: number) => {
      const expected = this.expected.subarray(start, start + count);
      (correct[index] as number) += rightIn(logits, expected);
      (confidence[index] as number) += meanProbability(logits, expected) * count;
    };
    await this.measurer.visit(this.data, fresh, visit, { signal: options.signal });
    if (fresh.length === 0) {
      // Nothing was run, so nothing has let a timer, the deadline's among them, fire.
      await setImmediate();
      options.signal?.throwIfAborted();
    }
    fresh.forEach((policy, i) => {
      const score = {
        value: (correct[i] as number) / this.samples,
        confidence: (confidence[i] as number) / this.samples,
      };
      this.known.set(keyOf(policy), { policy, score });
    });
    return policies.map((policy) => (this.known.get(keyOf(policy)) as { score: Score }).score);
  }

  /** Of everything in the budget that was scored. */
  best(goal: Goal): Policy | undefined {
    let best: Policy | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const { policy, score } of this.known.values()) {
      if (!this.space.has(policy)) continue;
      const value = fitness({ goal, samples: this.samples }, score);
      if (value > most) [best, most] = [policy, value];
    }
    return best;
  }
}

function rightIn(logits: Float32Array, expected: Int32Array): number {
  const classes = logits.length / expected.length;
  let right = 0;
  expected.forEach((own, row) => {
    let best = 0;
    for (let i = 1; i < classes; i++) {
      if ((logits[row * classes + i] as number) > (logits[row * classes + best] as number)) best = i;
    }
    if (best === own) right += 1;
  });
  return right;
}

/** All policies where the evaluations suffice for them, else the agents there are. */
export function agentsFor(space: BudgetSpace, evaluations: number): SearchAgent[] {
  const names = space.count <= BigInt(evaluations) ? ['exhaustive'] : PREFERRED;
  return names.flatMap((name) => AGENTS.get(name) ?? []);
}

/** `wanted`: the class of each sample that a score counts: its label, or what full precision says. */
export async function searchPolicies(
  measurer: Measurer,
  space: BudgetSpace,
  bits: number,
  samples: Samples,
  expected: Int32Array,
  measure: Measure,
  options: PolicySearchOptions,
): Promise<PolicySearch> {
  const { evaluations, seed, signal, deadline, onProgress } = options;
  const problem = new MeasuredProblem(measurer.graph, space, measure, measurer, samples, expected);
  const agents = agentsFor(space, evaluations);
  const either = [signal, deadline].filter((one) => one !== undefined);
  const stop = either.length > 0 ? AbortSignal.any(either) : undefined;
  const found: AgentFound[] = [];
  const total = 2 * agents.length * evaluations;
  let [before, cut] = [0, false];
  try {
    for (const goal of ['worst', 'best'] as const) {
      problem.goal = goal;
      for (const agent of agents) {
        const result = await agent.search(problem, {
          evaluations,
          seed,
          signal: stop,
          onProgress: (progress) => onProgress?.(before + progress.evaluations, total),
        });
        before += evaluations;
        const history = result.history.map((point) => [point.evaluations, 100 * point.best] as const);
        found.push({ agent: agent.name, goal, evaluations: result.evaluations, value: 100 * result.value, history });
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline?.aborted || !problem.best('worst')) throw error;
    cut = true;
  }
  const json = (goal: Goal) => policyToJson(problem.best(goal) as Policy);
  return {
    bits,
    choices: space.choices.map(formatBits),
    policies: String(space.count),
    samples: samples.count,
    agents: found,
    worst: json('worst'),
    best: json('best'),
    cut,
  };
}
