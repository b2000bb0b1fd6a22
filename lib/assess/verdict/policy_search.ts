// The worst and the best policy that a search finds in a budget, on the network as it is: nothing is trained. Several
// agents get the same number of evaluations, so that what one finds can be held against plain baselines.

import { formatScheme } from '../../format/scheme.js';
import type { BudgetSpace } from '../../policy/budget.js';
import { type PolicyJson, policyToJson } from '../../policy/json.js';
import type { Policy } from '../../policy/policy.js';
import type { StaticAgent } from '../../search/agent.js';
import { agentNamed } from '../../search/agents/index.js';
import { Judge, type Objective, type Scorer } from '../../search/judge.js';
import { type Answers, type Measure, total } from '../../tasks/task.js';
import type { Measurer } from '../measure/measurer.js';
import type { Samples } from '../samples.js';

/** What one agent found for one objective. */
export interface AgentFound {
  readonly agent: string;
  readonly objective: Objective;
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
  /** Whether time ran out before the agents were done: what is returned is the best so far. */
  readonly cut: boolean;
}

/** What agents found in a budget, each with as many evaluations. */
interface PolicySearchOptions {
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

/** Scores by a Measurer, chunk by chunk. `expected`: the answer to each sample that counts as right. */
function measuredScorer(measurer: Measurer, data: Samples, expected: Answers, measure: Measure): Scorer {
  const { task } = data;
  return {
    measure,
    samples: data.count,
    async score(policies, signal) {
      const right = new Float64Array(policies.length);
      const confidence = new Float64Array(policies.length);
      const visit = (policy: number, logits: Float32Array, start: number, count: number) => {
        const expectedAnswers = task.take(
          expected,
          Int32Array.from({ length: count }, (_, i) => start + i),
        );
        (right[policy] as number) += total(task.scores(task.answers(logits, count), expectedAnswers));
        (confidence[policy] as number) += task.support(logits, expectedAnswers) * count;
      };
      await measurer.visit(data, policies, visit, { signal });
      return policies.map((_, i) => ({
        value: (right[i] as number) / data.count,
        confidence: (confidence[i] as number) / data.count,
      }));
    },
  };
}

/** All policies where the evaluations suffice for them, else the agents there are. */
export function agentsFor(space: BudgetSpace, evaluations: number): StaticAgent[] {
  const names = space.count <= BigInt(evaluations) ? ['exhaustive'] : PREFERRED;
  return names.map((name) => agentNamed(name));
}

/** `expected`: the answer that a sample is scored by: its label, or what full precision answers. */
export async function searchPolicies(
  measurer: Measurer,
  space: BudgetSpace,
  bits: number,
  samples: Samples,
  expected: Answers,
  measure: Measure,
  options: PolicySearchOptions,
): Promise<PolicySearch> {
  const { evaluations, seed, signal, deadline, onProgress } = options;
  const judge = new Judge(measurer.graph, space, measuredScorer(measurer, samples, expected, measure));
  const agents = agentsFor(space, evaluations);
  const either = [signal, deadline].filter((one) => one !== undefined);
  const stop = either.length > 0 ? AbortSignal.any(either) : undefined;
  const found: AgentFound[] = [];
  const total = 2 * agents.length * evaluations;
  let [before, cut] = [0, false];
  try {
    for (const objective of ['detrimental', 'robust'] as const) {
      for (const agent of agents) {
        const result = await agent.search(judge, {
          objective,
          evaluations,
          seed,
          signal: stop,
          onProgress: (progress) => onProgress?.(before + progress.evaluations, total),
        });
        before += evaluations;
        const history = result.history.map((point) => [point.evaluations, 100 * point.best] as const);
        const { evaluations: used, value } = result;
        found.push({ agent: agent.name, objective, evaluations: used, value: 100 * value, history });
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!deadline?.aborted || !judge.best('detrimental')) throw error;
    cut = true;
  }
  const json = (objective: Objective) => policyToJson(judge.best(objective) as Policy);
  return {
    bits,
    choices: space.choices.map(formatScheme),
    policies: String(space.count),
    samples: samples.count,
    agents: found,
    worst: json('detrimental'),
    best: json('robust'),
    cut,
  };
}
