// What an agent is: a name, and a search that is a function of what it searches, of what it may spend and of the seed. A
// static agent proposes policies to an environment that scores them; an agent by input makes policies that choose the
// bits of each input, and what is kept of them is decided on validation samples. A new agent of either kind is one file
// in agents/ that calls `defineAgent`, and its line in agents/all.ts.

import { InvalidArgumentError } from '../core/errors.js';
import type { Graph } from '../graph/graph.js';
import { formatPolicy, type Policy } from '../policy/policy.js';
import { type EvaluationData, evaluatePolicies } from '../runtime/evaluate_policies.js';
import type { Measure } from '../tasks/task.js';
import { Random } from '../tensor/random.js';
import { Environment, type EnvironmentOptions, type Found, type HistoryPoint } from './environment.js';
import { InputEnvironment, type InputEnvironmentOptions } from './input_environment.js';
import type { InputPolicy } from './input_policy.js';
import { type Judge, type Objective, signOf } from './judge.js';
import type { MlpState } from './mlp.js';
import { choicesOf, InputPolicyRunner, type Referenced, withReference } from './runner.js';
import { type ActivationBudget, ActivationSpace, type NodeSchemes } from './space.js';

/** What a search of static policies may spend. */
export interface StaticSearchOptions extends EnvironmentOptions {
  /** Of all that is drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Policies to evaluate before anything else, such as the best of an earlier search; they are counted. */
  readonly start?: readonly Policy[] | undefined;
}

/** The best policy that an agent found. */
export interface StaticSearchResult extends Found {
  readonly agent: string;
  readonly objective: Objective;
  readonly measure: Measure;
  readonly seed: number;
  /** Policies evaluated, each once: at most as many as were allowed. */
  readonly evaluations: number;
  /** Every improvement, and where the search ended. */
  readonly history: readonly HistoryPoint[];
}

/** How a policy by input is searched. */
export interface InputSearchOptions extends InputEnvironmentOptions {
  readonly budget: ActivationBudget;
}

/** The policy by input that an agent found. */
export interface InputSearchResult {
  readonly policy: InputPolicy;
  /** The best static policy: of the finalists, chosen on all validation samples. */
  readonly bestStatic: Policy;
  readonly history: readonly SelectionPoint[];
}

/** A policy by input that was looked at on the validation samples. */
interface SelectionPoint {
  readonly iteration: number;
  /** Mean reward of the iteration before, on training samples; NaN at the start. */
  readonly reward: number;
  /** With full precision, a share. */
  readonly agreement: number;
}

/** Takes a policy by input into the choice. */
export type Select = (policy: InputPolicy, iteration?: number, reward?: number) => Promise<void>;

/** An agent beside a network in training: it improves now and then, on the network as it is by then. */
export interface InputLearner {
  readonly policy: InputPolicy;
  /** Learns from some of the samples; returns the mean reward. */
  iterate(runner: InputPolicyRunner, data: Referenced): Promise<number>;
  /** What the next iteration depends on, as `keepPart` keeps it; its policy included. */
  memory(): LearnerMemory;
  /** Goes on from what `memory` returned. */
  restore(memory: LearnerMemory): void;
}

export interface LearnerMemory {
  readonly iteration: number;
  readonly network: MlpState;
}

interface Described {
  readonly name: string;
  /** One sentence for reports and help. */
  readonly description: string;
}

/** An agent that searches static policies. */
export interface StaticAgent extends Described {
  readonly kind: 'static';
  /** Searches within the evaluations allowed. */
  search(judge: Judge, options: StaticSearchOptions): Promise<StaticSearchResult>;
}

/** An agent whose policies choose bits for each input. */
export interface InputAgent extends Described {
  readonly kind: 'input';
  /**
   * Searches on training samples, selects on validation samples; labels of neither are looked at. Throws before any work
   * when the budget is impossible. Deterministic from the seed.
   */
  search(
    graph: Graph,
    train: EvaluationData,
    validation: EvaluationData,
    options: InputSearchOptions,
  ): Promise<InputSearchResult>;
  /** What a pair is learned with. Throws InvalidArgumentError where the agent has no learner. */
  learner(environment: InputEnvironment): Promise<InputLearner>;
}

/** An agent of either kind. */
export type SearchAgent = StaticAgent | InputAgent;

/** A static agent by what it does. */
export interface StaticAgentDefinition extends Described {
  readonly kind: 'static';
  /** Evaluates until the environment is done or no policy is left. */
  play(environment: Environment, random: Random): Promise<void>;
}

/** An agent by input by what it does. */
export interface InputAgentDefinition extends Described {
  readonly kind: 'input';
  /** Makes policies for a network that stays as it is, and has them selected. */
  play(environment: InputEnvironment, select: Select): Promise<void>;
  /** For pairs: what learns beside the network. */
  learner?(environment: InputEnvironment): Promise<InputLearner>;
}

/** An agent from what it does. */
export function defineAgent(definition: StaticAgentDefinition): StaticAgent;
export function defineAgent(definition: InputAgentDefinition): InputAgent;
export function defineAgent(definition: StaticAgentDefinition | InputAgentDefinition): SearchAgent {
  return definition.kind === 'static' ? staticAgent(definition) : inputAgent(definition);
}

function staticAgent({ name, description, play }: StaticAgentDefinition): StaticAgent {
  return {
    ...{ kind: 'static', name, description },
    search: async (judge, options) => {
      const { objective, seed = 0, start = [] } = options;
      const random = new Random(seed).split('search').split(name);
      const environment = new Environment(judge, options);
      await environment.evaluate(start.map((policy) => bitsOf(judge, policy)));
      if (!environment.done) await play(environment, random);
      // An agent that only probed outside of the budget has found nothing: one policy always counts.
      if (!environment.best) throw new RangeError(`${name}: ended without a policy of the budget`);
      const { best, evaluations, history } = environment;
      const last = history.at(-1) as HistoryPoint;
      const whole = last.evaluations === evaluations ? history : [...history, { evaluations, best: best.value }];
      return { agent: name, objective, measure: judge.measure, seed, evaluations, history: whole, ...best };
    },
  };
}

function bitsOf({ space }: Judge, policy: Policy): NodeSchemes {
  if (!space.has(policy)) {
    throw new InvalidArgumentError('search', 'start', 'policies of the budget', formatPolicy(policy));
  }
  return space.names.map((name) => policy.schemes.get(name) as NodeSchemes[number]);
}

function inputAgent({ name, description, play, learner }: InputAgentDefinition): InputAgent {
  return {
    ...{ kind: 'input', name, description },
    search: async (graph, train, validation, options) => {
      const { objective, signal } = options;
      const runner = new InputPolicyRunner(graph);
      try {
        const space = new ActivationSpace(graph, runner.program.products, options.budget);
        options.onStage?.('full precision');
        const choices = await choicesOf(graph, train, { signal });
        const data = { ...train, reference: choices.classes };
        const environment = new InputEnvironment(runner, space, data, options, choices);
        const check = await withReference(graph, validation, { signal });
        const { finalists } = await environment.candidates();
        const policies = finalists.map((codes) => space.decode(codes));
        const results = await evaluatePolicies(graph, policies, check, { signal });
        const scores = results.map(({ agreement }) => signOf(objective) * (agreement as number));
        const bestStatic = policies[scores.indexOf(Math.max(...scores))] as Policy;
        const kept: { policy?: InputPolicy; score: number } = { score: Number.NEGATIVE_INFINITY };
        const history: SelectionPoint[] = [];
        await play(environment, async (policy, iteration = 0, reward = Number.NaN) => {
          const { agreement = 0 } = await runner.evaluate(policy, check, { signal });
          history.push({ iteration, reward, agreement });
          const score = signOf(objective) * agreement;
          if (kept.policy && score <= kept.score) return;
          Object.assign(kept, { policy: policy.with({ actor: policy.actor?.clone() }), score });
        });
        if (!kept.policy) throw new RangeError(`${name}: ended without a policy`);
        return { policy: kept.policy, bestStatic, history };
      } finally {
        runner.dispose();
      }
    },
    learner: async (environment) => {
      if (!learner) throw new InvalidArgumentError('search', 'agent', 'one that can learn beside a network', name);
      return learner(environment);
    },
  };
}
