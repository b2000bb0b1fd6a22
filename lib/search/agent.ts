// The form every agent has: a name, and a search that is a function of problem, number of evaluations and seed.
import { InvalidArgumentError } from '../core/errors.js';
import { formatPolicy } from '../quant/policy.js';
import { Random } from '../tensor/random.js';
import { type Candidate, Environment, type EnvironmentOptions, type Found, type HistoryPoint } from './environment.js';
import type { Goal, Measure, SearchProblem } from './judge.js';

/** What a search may spend. */
export interface SearchOptions extends EnvironmentOptions {
  /** Of all that is drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Policies to evaluate before anything else, say the best of an earlier search; they are counted. */
  readonly start?: readonly Found['policy'][] | undefined;
}

/** The best policy that an agent found. */
export interface SearchResult extends Found {
  readonly agent: string;
  readonly goal: Goal;
  readonly measure: Measure;
  readonly seed: number;
  /** Policies evaluated, each once: at most as many as were allowed. */
  readonly evaluations: number;
  /** Every improvement, and where the search ended. */
  readonly history: readonly HistoryPoint[];
}

/** One way to search for a policy. */
export interface SearchAgent {
  readonly name: string;
  /** One sentence for reports and help. */
  readonly description: string;
  /** Searches within the evaluations granted. */
  search(problem: SearchProblem, options: SearchOptions): Promise<SearchResult>;
}

/** An agent from what it does: it evaluates until the environment is done or it has no more to ask. */
export function defineAgent(
  name: string,
  description: string,
  play: (environment: Environment, random: Random) => Promise<void>,
): SearchAgent {
  return {
    name,
    description,
    search: async (problem, options) => {
      const { seed = 0, start = [] } = options;
      const random = new Random(seed).split('search').split(name);
      const environment = new Environment(problem, options);
      await environment.evaluate(start.map((policy) => bitsOf(problem, policy)));
      if (!environment.done) await play(environment, random);
      // An agent that only probed outside of the budget has found nothing: one policy always counts.
      if (!environment.best) throw new RangeError(`${name}: ended without a policy of the budget`);
      const { best, evaluations, history } = environment;
      const last = history.at(-1) as HistoryPoint;
      const whole = last.evaluations === evaluations ? history : [...history, { evaluations, best: best.value }];
      const { goal, measure } = problem;
      return { agent: name, goal, measure, seed, evaluations, history: whole, ...best };
    },
  };
}

function bitsOf(problem: SearchProblem, policy: Found['policy']): Candidate {
  const { space } = problem;
  if (!space.has(policy)) {
    throw new InvalidArgumentError('search', 'start', 'policies of the budget', formatPolicy(policy));
  }
  return space.names.map((name) => policy.bits.get(name) as Candidate[number]);
}
