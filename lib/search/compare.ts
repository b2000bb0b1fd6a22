// Agents beside each other on one problem, with equal evaluations; and the whole landscape where it can be had, which says
// how far each stayed from the optimum.
import type { Policy } from '../quant/policy.js';
import type { SearchAgent, SearchOptions, SearchResult } from './agent.js';
import { keyOf } from './environment.js';
import { fitness, type Goal, type Score, type SearchProblem } from './judge.js';

/** The measure of every policy of a budget. */
export interface Landscape {
  /** Measure of every policy of the budget, ascending, shares. */
  readonly values: readonly number[];
  /** The one that fits the goal best. */
  readonly optimum: { readonly policy: Policy } & Score;
}

/** Of the baselines: those that need no more than what every agent gets. */
export const BASELINES: readonly string[] = ['random', 'sensitivity', 'greedy', 'cem', 'bayes'];

/** A problem that computes every score once, whoever asks; each agent's evaluations are counted all the same. */
export class SharedProblem implements SearchProblem {
  readonly space;
  readonly layers;
  readonly measure;
  readonly samples;
  private readonly known = new Map<string, Score>();

  constructor(
    private readonly problem: SearchProblem,
    readonly goal: Goal = problem.goal,
  ) {
    ({ space: this.space, layers: this.layers, measure: this.measure, samples: this.samples } = problem);
  }

  async score(policies: readonly Policy[], options: Parameters<SearchProblem['score']>[1]): Promise<Score[]> {
    const keys = policies.map(({ bits }) => keyOf([...bits.values()]));
    const missing = new Map<string, Policy>();
    keys.forEach((key, i) => {
      if (!this.known.has(key)) missing.set(key, policies[i] as Policy);
    });
    const scores = missing.size > 0 ? await this.problem.score([...missing.values()], options) : [];
    [...missing.keys()].forEach((key, i) => {
      this.known.set(key, scores[i] as Score);
    });
    return keys.map((key) => this.known.get(key) as Score);
  }

  /** Every policy of the budget, which must all have been scored. */
  landscape(): Landscape {
    const all = [...this.space.policies()].map((policy) => {
      const score = this.known.get(keyOf([...policy.bits.values()]));
      if (!score) throw new RangeError('landscape: a policy of the budget was never scored');
      return { policy, ...score };
    });
    const optimum = all.reduce((best, each) => (fitness(this, each) > fitness(this, best) ? each : best));
    return { values: all.map(({ value }) => value).sort((a, b) => a - b), optimum };
  }
}

/** How far a measure is from that of the optimum, in the unit of both; 0 for the optimum. */
export function regretOf(goal: Goal, value: number, optimum: number): number {
  return goal === 'worst' ? value - optimum : optimum - value;
}

/** Results of each agent with these options, in order. */
export async function compareAgents(
  problem: SearchProblem,
  agents: readonly SearchAgent[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  const shared = problem instanceof SharedProblem ? problem : new SharedProblem(problem);
  const results: SearchResult[] = [];
  for (const agent of agents) results.push(await agent.search(shared, options));
  return results;
}
