// What `faultline search` does, as a function: the most detrimental or the most robust policy of a budget on a network
// that stays as it is, static or by input, beside what says how good it is. Static: baselines with as many evaluations,
// the whole landscape where it can be enumerated, and samples that no agent saw. By input: the controls of controls.ts.

import { formatScheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { summarize } from '../graph/printer.js';
import { type BudgetOptions, BudgetSpace } from '../policy/budget.js';
import type { Weighting } from '../policy/effective_bits.js';
import { type PolicyJson, policyFromJson, policyToJson } from '../policy/json.js';
import { toJson } from '../run/files.js';
import type { RunDirectory } from '../run/run_directory.js';
import { type EvaluationData, evaluatePolicies } from '../runtime/evaluate_policies.js';
import type { Measure } from '../tasks/task.js';
import { fullPrecision } from '../train/full_precision.js';
import type { InputAgent, StaticAgent } from './agent.js';
import { exhaustive } from './agents/exhaustive.js';
import { agentNamed } from './agents/index.js';
import { BASELINES, type ControlScore, evaluateControls } from './controls.js';
import type { HistoryPoint } from './environment.js';
import { inputPolicyFromJson, inputPolicyToJson } from './input_policy_json.js';
import { extremeOf, Judge, type Objective, regretOf, signOf } from './judge.js';

/** How far a search is. */
interface SearchPolicyProgress {
  /** The agent that plays, or what is done. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** The measure of the best static policy of this agent so far, a share. */
  readonly best?: number | undefined;
}

interface SearchPolicyOptions {
  /** In the report. Default: the graph's name. */
  readonly model?: string | undefined;
  readonly objective: Objective;
  readonly budget: BudgetOptions;
  /** Of all that is drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Stores finished work, so that a stopped search resumes, and the best policy so far as policy.json. */
  readonly run?: Pick<RunDirectory, 'stage' | 'read' | 'write'> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with the stage, the evaluations done and their limit. */
  readonly onProgress?: ((progress: SearchPolicyProgress) => void) | undefined;
}

/** A search of static policies. */
export interface SearchStaticOptions extends SearchPolicyOptions {
  /** Default: ddpg. */
  readonly agent?: StaticAgent | undefined;
  /** Searched beside it with as many evaluations. Default: BASELINES. */
  readonly baselines?: readonly StaticAgent[] | undefined;
  /** Policies that each agent may try. Default 40. */
  readonly evaluations?: number | undefined;
  /** Budgets of up to so many policies are enumerated. Default 1024. */
  readonly enumerate?: number | undefined;
  /** Default: accuracy where there are labels, else agreement. */
  readonly measure?: Measure | undefined;
}

/** A search of policies by input. */
export interface SearchByInputOptions extends SearchPolicyOptions {
  /** Default: ppo. */
  readonly agent?: InputAgent | undefined;
}

/** Samples of a static search: policies are searched on the first, and judged on the others. */
export interface StaticSearchData {
  readonly searched: EvaluationData;
  readonly others?: EvaluationData | undefined;
}

/** Samples of a search by input, in three parts. */
export interface InputSearchData {
  readonly learned: EvaluationData;
  readonly selected: EvaluationData;
  readonly judged: EvaluationData;
}

interface BudgetReport {
  readonly bits: number;
  readonly choices: readonly string[];
  readonly policies: string;
}

/** What one agent found; accuracies and agreements in percent. */
export interface AgentReport {
  readonly agent: string;
  readonly evaluations: number;
  readonly value: number;
  /** Points from the optimum; absent where that is unknown. */
  readonly regret?: number;
  /** The same policy on samples that no agent saw. */
  readonly others?: number;
  readonly history: readonly HistoryPoint[];
  readonly policy: PolicyJson;
}

/** What a search of static policies found. */
export interface SearchReport {
  readonly schema: 'faultline.search/2';
  readonly model: string;
  readonly objective: Objective;
  readonly measure: Measure;
  readonly seed: number;
  readonly budget: BudgetReport & { readonly weighting: Weighting };
  readonly images: { readonly searched: number; readonly others: number };
  /** Accuracy in full precision, where there are labels. */
  readonly fullPrecision: { readonly searched?: number; readonly others?: number };
  /** What each quantized node does: `Conv 3x3`. */
  readonly operators: Readonly<Record<string, string>>;
  /** The requested agent, then the baselines. */
  readonly agents: readonly AgentReport[];
  /** Measure of every policy, ascending, where the space was enumerated. */
  readonly landscape?: readonly number[];
  /** Which of the agents found the best of all. */
  readonly found: string;
}

/** Accuracy, where there are labels, and agreement with full precision; percent. */
interface ControlFigures {
  readonly name: string;
  readonly accuracy?: number;
  readonly agreement: number;
}

/** What a search of policies by input found. */
export interface InputSearchReport {
  readonly schema: 'faultline.search-input/2';
  readonly model: string;
  readonly objective: Objective;
  readonly seed: number;
  readonly budget: BudgetReport;
  readonly images: { readonly learned: number; readonly selected: number; readonly judged: number };
  /** Full precision and the agent first, then its controls. */
  readonly figures: readonly ControlFigures[];
  /** How many policies the agent chose, and its commonest one's share of the samples, percent. */
  readonly chosen: { readonly policies: number; readonly commonest: number };
  /** The best static policy found on the samples that were selected on. */
  readonly static: PolicyJson;
  /** Agreement on these, as the agent learned; percent. */
  readonly history: readonly { readonly iteration: number; readonly agreement: number }[];
}

const DEFAULT_EVALUATIONS = 40;
const DEFAULT_ENUMERATED = 1024;

/** Ten decimals: 8.8, not 8.799999999999999. */
const rounded = (value: number) => Number(value.toFixed(10));
const percent = (share: number) => rounded(100 * share);
const shareOf = (share: number | undefined) => (share === undefined ? undefined : percent(share));
const count = (data: EvaluationData | undefined) => data?.dims[0] ?? 0;
const named = ({ choices }: BudgetOptions) =>
  choices.map((each) => (typeof each === 'string' ? each : formatScheme(each)));

function operatorsOf(graph: Graph, names: readonly string[]): Record<string, string> {
  const described = summarize(graph).nodes.map(({ name, operator, detail }) => [
    name,
    `${operator} ${detail}`.trimEnd(),
  ]);
  const all = new Map(described as [string, string][]);
  return Object.fromEntries(names.map((name) => [name, all.get(name) as string]));
}

/** Forgets: nothing is kept beyond the result. */
const NOT_KEPT: NonNullable<SearchPolicyOptions['run']> = {
  stage: (_, compute) => compute({ write: async () => undefined }),
  read: async (name) => {
    throw new RangeError(`search: ${name} was not kept`);
  },
  write: async () => undefined,
};

/** Searches a network for a policy of the kind that the data is for. Deterministic from the seed. */
export function searchPolicy(graph: Graph, data: StaticSearchData, options: SearchStaticOptions): Promise<SearchReport>;
export function searchPolicy(
  graph: Graph,
  data: InputSearchData,
  options: SearchByInputOptions,
): Promise<InputSearchReport>;
export function searchPolicy(
  graph: Graph,
  data: StaticSearchData | InputSearchData,
  options: SearchStaticOptions | SearchByInputOptions,
): Promise<SearchReport | InputSearchReport> {
  return 'learned' in data
    ? searchByInput(graph, data, options as SearchByInputOptions)
    : searchStatic(graph, data, options as SearchStaticOptions);
}

type Found = Omit<AgentReport, 'regret' | 'others'>;

async function searchStatic(graph: Graph, data: StaticSearchData, options: SearchStaticOptions): Promise<SearchReport> {
  const { objective, budget, seed = 0, signal } = options;
  const { measure = data.searched.labels ? 'accuracy' : 'agreement' } = options;
  const space = new BudgetSpace(graph, budget);
  const referenced = async (part: EvaluationData) => {
    const { answers, accuracy } = await fullPrecision(graph, part, { signal });
    return { data: { ...part, reference: answers }, accuracy };
  };
  const searched = await referenced(data.searched);
  const others = data.others && (await referenced(data.others));
  const { found, landscape } = await playAll(graph, space, searched.data, measure, options);
  const values = others && (await judged(graph, found, others.data, measure, signal));
  const optimum = landscape && (objective === 'detrimental' ? landscape[0] : landscape.at(-1));
  const sign = signOf(objective);
  const best = found.reduce((top, each) => (sign * each.value > sign * top.value ? each : top));
  // Of policies that are as good, the one of the report.
  await options.run?.write('policy.json', toJson(best.policy));
  const accuracies = { searched: shareOf(searched.accuracy), others: shareOf(others?.accuracy) };
  const known = Object.entries(accuracies).filter(([, value]) => value !== undefined);
  return {
    ...{ schema: 'faultline.search/2', model: options.model ?? graph.name, objective, measure, seed },
    budget: {
      ...{ bits: budget.bits, weighting: budget.weighting ?? 'nodes', choices: named(budget) },
      policies: String(space.count),
    },
    images: { searched: count(data.searched), others: count(data.others) },
    fullPrecision: Object.fromEntries(known),
    operators: operatorsOf(graph, space.names),
    agents: found.map((each, i) => ({
      ...each,
      ...(optimum === undefined ? {} : { regret: rounded(regretOf(objective, each.value, optimum)) }),
      ...(values ? { others: values[i] as number } : {}),
    })),
    ...(landscape ? { landscape } : {}),
    found: best.agent,
  };
}

/** Each agent is a stage of the run: one that ended is not run again. */
async function playAll(
  graph: Graph,
  space: BudgetSpace,
  data: EvaluationData,
  measure: Measure,
  options: SearchStaticOptions,
): Promise<{ readonly found: readonly Found[]; readonly landscape: readonly number[] | undefined }> {
  const { objective, seed = 0, signal, run = NOT_KEPT, onProgress } = options;
  const { evaluations = DEFAULT_EVALUATIONS, enumerate = DEFAULT_ENUMERATED } = options;
  const { agent = agentNamed('ddpg'), baselines = BASELINES } = options;
  const judge = Judge.onIntegers(graph, space, data, { measure });
  const sign = signOf(objective);
  let best = Number.NEGATIVE_INFINITY;
  let writing = Promise.resolve();
  const keep = (value: number, policy: PolicyJson) => {
    if (sign * value <= best) return;
    best = sign * value;
    writing = writing.then(() => run.write('policy.json', toJson(policy)));
  };
  const play = ({ name, search }: StaticAgent, allowed: number) =>
    run.stage(`agent-${name}`, async (): Promise<Found> => {
      const result = await search(judge, {
        ...{ objective, evaluations: allowed, seed, signal },
        onProgress: ({ evaluations: done, best: top }) => {
          if (top) keep(top.value, policyToJson(top.policy));
          onProgress?.({ stage: name, done, total: allowed, best: top?.value });
        },
      });
      const history = result.history.map((point) => ({ ...point, best: percent(point.best) }));
      const policy = policyToJson(result.policy);
      return { agent: name, evaluations: result.evaluations, value: percent(result.value), history, policy };
    });
  try {
    const others = baselines.filter(({ name }) => name !== agent.name);
    const found: Found[] = [];
    for (const each of [agent, ...others]) {
      if (each.name !== exhaustive.name) found.push(await play(each, evaluations));
    }
    let landscape: number[] | undefined;
    const enumerated = space.count <= BigInt(enumerate);
    if (enumerated || agent.name === exhaustive.name) {
      const all = await play(exhaustive, enumerated ? Number(space.count) : evaluations);
      if (agent.name === exhaustive.name) found.unshift(all);
      else found.push(all);
      // Known already, unless a run resumes.
      landscape = await run.stage('landscape', async () => (await judge.landscape(signal)).map(percent));
    }
    for (const { value, policy } of found) keep(value / 100, policy);
    return { found, landscape };
  } finally {
    await writing;
    judge.dispose();
  }
}

/** Every policy found, on samples that no agent saw; percent. */
async function judged(
  graph: Graph,
  found: readonly Found[],
  others: EvaluationData,
  measure: Measure,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const policies = found.map(({ policy }) => policyFromJson(graph, policy));
  const results = await evaluatePolicies(graph, policies, others, { signal });
  return results.map((result) => percent(result[measure] as number));
}

async function searchByInput(
  graph: Graph,
  data: InputSearchData,
  options: SearchByInputOptions,
): Promise<InputSearchReport> {
  const { objective, budget, seed = 0, signal, run = NOT_KEPT, onProgress } = options;
  const { agent = agentNamed('ppo', 'input') } = options;
  const common = { objective, seed, signal };
  let policyJson: string | undefined;
  const found = await run.stage('search', async (stage) => {
    let doing = '';
    const { policy, bestStatic, history } = await agent.search(graph, data.learned, data.selected, {
      ...{ ...common, budget },
      onStage: (name) => {
        doing = name;
        onProgress?.({ stage: doing, done: 0, total: 1 });
      },
      onProgress: (done, total) => onProgress?.({ stage: doing, done, total }),
    });
    policyJson = toJson(inputPolicyToJson(policy));
    await stage.write('policy.json', policyJson);
    return {
      static: policyToJson(bestStatic),
      history: history.map(({ iteration, agreement }) => ({ iteration, agreement: percent(agreement) })),
    };
  });
  const policy = inputPolicyFromJson(graph, JSON.parse(policyJson ?? (await run.read('policy.json')).toString()));
  return run.stage('judgement', async (): Promise<InputSearchReport> => {
    onProgress?.({ stage: 'judgement', done: 0, total: 1 });
    const controls = await evaluateControls(graph, policy, policyFromJson(graph, found.static), data.judged, common);
    const { accuracy } = await fullPrecision(graph, data.judged, { signal });
    const figures = (name: string, score: ControlScore | undefined): ControlFigures[] => {
      if (!score) return [];
      const figure = { name, agreement: percent(score.agreement as number) };
      return [score.accuracy === undefined ? figure : { ...figure, accuracy: percent(score.accuracy) }];
    };
    return {
      ...{ schema: 'faultline.search-input/2', model: options.model ?? graph.name, objective, seed },
      budget: { bits: budget.bits, choices: named(budget), policies: String(policy.space.count) },
      images: { learned: count(data.learned), selected: count(data.selected), judged: count(data.judged) },
      figures: [
        ...figures('full precision', { accuracy, agreement: 1 }),
        ...figures('agent', controls.agent),
        ...figures('open loop', controls.openLoop),
        ...figures('shuffled bits', controls.shuffled),
        ...figures(`${extremeOf(objective)} static`, controls.bestStatic),
        ...figures('oracle', controls.oracle),
        ...figures('oracle with labels', controls.labelOracle),
      ],
      chosen: { policies: controls.policies, commonest: percent(controls.openLoop.share) },
      ...found,
    };
  });
}
