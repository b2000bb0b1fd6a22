// `faultline search`: the worst or the best policy of a budget, the network untouched; the agent beside its baselines.
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { freeBatch, type Samples, splitSamples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { Graph } from '../graph/graph.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { BudgetSpace } from '../quant/budget.js';
import { type EvaluationData, evaluatePolicies } from '../quant/evaluate_policies.js';
import {
  formatBits,
  type NodeBits,
  type PolicyJson,
  parseBits,
  policyFromJson,
  policyToJson,
  type Weighting,
} from '../quant/policy.js';
import { sha256, toJson } from '../run/files.js';
import { RunDirectory } from '../run/run_directory.js';
import { agentNamed } from '../search/agents/index.js';
import { BASELINES, regretOf, SharedProblem } from '../search/compare.js';
import type { HistoryPoint } from '../search/environment.js';
import { type Goal, type Measure, PolicyProblem } from '../search/judge.js';
import { fullPrecision } from '../train/full_precision.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, numberOption } from './options.js';
import { Progress } from './progress.js';
import { inputSearchText, type NamedBudget, prepareInputSearch, searchInput } from './search_input.js';
import { searchText } from './search_text.js';

interface SearchFlags extends InputFlags {
  readonly worst?: true;
  readonly best?: true;
  readonly policy: string;
  readonly budget: number;
  readonly tolerance?: number;
  readonly weighting: string;
  readonly bits: string;
  readonly pin?: readonly string[];
  readonly exclude?: readonly string[];
  readonly agent?: string;
  readonly baselines: boolean;
  readonly evaluations: number;
  readonly enumerate: number;
  readonly measure?: string;
  readonly out?: string;
  readonly fresh?: true;
  readonly json?: true;
}

/** What one agent found; accuracies and agreements in percent. */
export interface AgentReport {
  readonly agent: string;
  readonly evaluations: number;
  readonly value: number;
  /** Points from the optimum; absent where that is unknown. */
  readonly regret?: number;
  /** The same policy on images that no agent saw. */
  readonly others?: number;
  readonly history: readonly HistoryPoint[];
  readonly policy: PolicyJson;
}

export interface SearchReport {
  readonly schema: 'faultline.search/1';
  readonly model: string;
  readonly goal: Goal;
  readonly measure: Measure;
  readonly seed: number;
  readonly budget: {
    readonly bits: number;
    readonly weighting: Weighting;
    readonly choices: readonly string[];
    readonly policies: string;
  };
  readonly images: { readonly searched: number; readonly others: number };
  /** Accuracy in full precision, where there are labels. */
  readonly fullPrecision: { readonly searched?: number; readonly others?: number };
  /** The agent asked for, then the baselines. */
  readonly agents: readonly AgentReport[];
  /** Measure of every policy, ascending, where the space was enumerated. */
  readonly landscape?: readonly number[];
  /** Which of the agents found the best of all; its policy is policy.json. */
  readonly found: string;
}

type PolicyKind = 'static' | 'input';

/** The agent of static policies, and the images that it searches on. */
const DEFAULT_AGENT = 'ddpg';
const DEFAULT_IMAGES = 1000;
/** The agents of policies by input, the default first: node by node, or one of a few policies for each input. */
const INPUT_AGENTS = ['ppo', 'gate'] as const;

/** Options that mean nothing where bits are chosen for each input. */
const STATIC_ONLY = ['evaluations', 'enumerate', 'measure', 'baselines'] as const;

const list = (text: string) => text.split(',').map((part) => part.trim());
/** Ten decimals: 8.8, not 8.799999999999999. */
const percent = (share: number) => Number((100 * share).toFixed(10));

/** Bits that a number on the command line stands for: of weights and activations, or of activations that are chosen. */
const BITS_OF: Readonly<Record<PolicyKind, (bits: number) => string>> = {
  static: (bits) => `W${bits}A${bits}`,
  input: (bits) => `W8A${bits}`,
};

/** `4,8` → W4A4, W8A8; `2-8` → W2A2 … W8A8; `W4A8` as it is. */
function choicesOf(text: string, kind: PolicyKind): string[] {
  return list(text).flatMap((part) => {
    const range = /^(\d)(?:-(\d))?$/.exec(part);
    if (!range) return [formatBits(parseBits(part))];
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    const all = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => BITS_OF[kind](from + i));
    if (all.length > 0) return all.map((bits) => formatBits(parseBits(bits)));
    throw new InvalidArgumentError('search', '--bits', 'widths as 4,8 or 2-8 or W4A4,W8A8', text);
  });
}

function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const name = names.find((each) => each === text);
  if (name) return name;
  throw new InvalidArgumentError('search', option, names.join(' or '), text);
}

/** `node=W8A8` */
function pinsOf(pins: readonly string[] = []): Map<string, NodeBits> {
  return new Map(
    pins.map((pin) => {
      const at = pin.lastIndexOf('=');
      if (at < 1) throw new InvalidArgumentError('search', '--pin', 'node=W8A8', pin);
      return [pin.slice(0, at), parseBits(pin.slice(at + 1))];
    }),
  );
}

function goalOf({ worst, best }: SearchFlags): Goal {
  if (worst === best)
    throw new InvalidArgumentError('search', '--worst, --best', 'one of the two', worst ? 'both' : 'none');
  return worst ? 'worst' : 'best';
}

function dataOf(samples: Samples): EvaluationData {
  const [whole] = samples.batches(samples.count);
  if (!whole) throw new InvalidArgumentError('search', '--images', 'one or more', 'none');
  return whole;
}

/** Data for searching and, where enough images are left, as many others that nothing is chosen on. */
function parts(samples: Samples, images: number, seed: number): { searched: EvaluationData; others?: EvaluationData } {
  if (samples.count <= images) return { searched: dataOf(samples) };
  const [searched, rest] = splitSamples(samples, images, seed);
  const count = Math.min(images, rest.count);
  return { searched: dataOf(searched), others: dataOf(rest.take(Int32Array.from({ length: count }, (_, i) => i))) };
}

interface Work {
  readonly graph: Graph;
  readonly space: BudgetSpace;
  readonly goal: Goal;
  readonly measure: Measure;
  readonly searched: EvaluationData;
  readonly others: EvaluationData | undefined;
}

/** Adds what full precision says to both parts. */
async function withReference(graph: Graph, data: EvaluationData, signal: AbortSignal) {
  const { classes, accuracy } = await fullPrecision(graph, data, { signal });
  return { data: { ...data, reference: classes }, accuracy };
}

type Found = Omit<AgentReport, 'regret' | 'others'>;

/** Each agent is a stage of the run: one that ended is not run again. */
async function searchAll(
  work: Work,
  flags: SearchFlags & { readonly agent: string },
  run: RunDirectory,
  signal: AbortSignal,
) {
  const { graph, space, goal, measure, searched } = work;
  const problem = new PolicyProblem(graph, searched, space, { goal, measure });
  const shared = new SharedProblem(problem);
  const line = new Progress();
  const enumerated = space.count <= BigInt(flags.enumerate);
  let best: number | undefined;
  let writing = Promise.resolve();
  const keep = (value: number, policy: PolicyJson) => {
    if (best !== undefined && (goal === 'worst' ? value >= best : value <= best)) return;
    best = value;
    writing = writing.then(() => run.write('policy.json', toJson(policy)));
  };
  const search = (name: string, evaluations: number) =>
    run.stage(`agent-${name}`, async (): Promise<Found> => {
      const result = await agentNamed(name).search(shared, {
        evaluations,
        seed: flags.seed,
        signal,
        onProgress: ({ evaluations: done, best: found }) => {
          if (found) keep(found.value, policyToJson(found.policy));
          const so = found ? `, ${goal} ${percent(found.value).toFixed(2)} %` : '';
          line.show(done === evaluations, () => `${name}: ${done}/${evaluations} policies${so}`);
        },
      });
      const history = result.history.map((point) => ({ ...point, best: percent(point.best) }));
      const policy = policyToJson(result.policy);
      return { agent: name, evaluations: result.evaluations, value: percent(result.value), history, policy };
    });
  try {
    const names = [flags.agent, ...(flags.baselines ? BASELINES : [])].filter((name) => name !== 'exhaustive');
    const found: Found[] = [];
    for (const name of new Set(names)) found.push(await search(name, flags.evaluations));
    let landscape: number[] | undefined;
    if (enumerated || flags.agent === 'exhaustive') {
      const all = await search('exhaustive', enumerated ? Number(space.count) : flags.evaluations);
      if (flags.agent === 'exhaustive') found.unshift(all);
      else found.push(all);
      landscape = await run.stage('landscape', async () => {
        await shared.score([...space.policies()], { signal }); // known already, but where a run goes on
        return shared.landscape().values.map(percent);
      });
    }
    for (const { value, policy } of found) keep(value / 100, policy);
    line.end();
    return { found, landscape };
  } finally {
    await writing;
    problem.dispose();
  }
}

/** The run in its folder: `work` ends it, or is interrupted by Ctrl-C and goes on with the same command. */
async function inRun(
  model: string,
  flags: SearchFlags,
  work: (run: RunDirectory, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { out: _, fresh: __, json: ___, ...settings } = flags;
  const configuration = { ...settings, model: await modelDigest(model) };
  const key = sha256(JSON.stringify(configuration)).slice(0, 8);
  const out = flags.out ?? join('runs', `search-${basename(model, '.onnx')}-${key}`);
  const command = ['faultline', ...process.argv.slice(2)].join(' ');
  const run = await RunDirectory.open(out, { command, configuration, fresh: flags.fresh ?? false });
  const abort = new AbortController();
  const stop = () => abort.abort(new Error(`interrupted; the best so far is in ${out}, the same command goes on`));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await work(run, abort.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    run.close();
  }
}

async function searchCommand(model: string, flags: SearchFlags, command: Command): Promise<void> {
  const kind = oneOf('--policy', ['static', 'input'], flags.policy);
  for (const name of STATIC_ONLY) {
    if (kind === 'static' || command.getOptionValueSource(name) !== 'cli') continue;
    throw new InvalidArgumentError('search', `--${name}`, '--policy static beside it', 'input');
  }
  const goal = goalOf(flags);
  const weighting = oneOf('--weighting', ['nodes', 'weights', 'macs'], flags.weighting);
  const choices = choicesOf(flags.bits, kind);
  const loaded = await readGraph(model);
  const { graph, batch } = freeBatch(loaded);
  if (batch !== undefined) {
    const expected = 'a batch of any size: export it with a dynamic batch axis';
    throw new InvalidArgumentError('search', model, expected, `${batch}, which nodes inside depend on`);
  }
  const { budget: bits, tolerance, exclude: excluded } = flags;
  const budget = { bits, tolerance, choices, weighting, excluded, pinned: pinsOf(flags.pin) };
  if (kind === 'static') await searchStatic(model, graph, budget, goal, flags);
  else await searchByInput(model, graph, { ...budget, counted: 'activations' }, goal, flags);
}

async function searchByInput(
  model: string,
  graph: Graph,
  budget: NamedBudget,
  goal: Goal,
  flags: SearchFlags,
): Promise<void> {
  const agent = oneOf('--agent', INPUT_AGENTS, flags.agent ?? INPUT_AGENTS[0]);
  const search = { model, graph, goal, budget, agent, flags };
  const data = await prepareInputSearch(search);
  await inRun(model, flags, async (run, signal) => {
    const report = await searchInput(search, data, run, signal);
    process.stdout.write(flags.json ? toJson(report) : inputSearchText(report, `policy: ${run.file('policy.json')}`));
  });
}

async function searchStatic(
  model: string,
  graph: Graph,
  budget: NamedBudget,
  goal: Goal,
  given: SearchFlags,
): Promise<void> {
  const flags = { ...given, agent: given.agent ?? DEFAULT_AGENT, images: given.images ?? DEFAULT_IMAGES };
  const { bits, weighting, choices } = budget;
  agentNamed(flags.agent);
  const space = new BudgetSpace(graph, budget);
  if (flags.agent === 'exhaustive' && space.count > BigInt(Math.max(flags.enumerate, flags.evaluations))) {
    throw new InvalidArgumentError('search', '--evaluations', `all ${space.count} policies`, String(flags.evaluations));
  }
  const { images, ...inputs } = flags;
  const { samples } = await readInputs(graph, inputs);
  const measure = oneOf(
    '--measure',
    ['accuracy', 'agreement'],
    flags.measure ?? (samples.labels ? 'accuracy' : 'agreement'),
  );
  if (measure === 'accuracy' && !samples.labels) {
    throw new InvalidArgumentError('search', '--measure', 'agreement, where images have no labels', 'accuracy');
  }
  await inRun(model, flags, async (run, signal) => {
    const { searched, others } = parts(samples, images, flags.seed);
    const first = await withReference(graph, searched, signal);
    const second = others && (await withReference(graph, others, signal));
    const work: Work = { graph, space, goal, measure, searched: first.data, others: second?.data };
    const { found, landscape } = await searchAll(work, flags, run, signal);
    const judged = await judge(work, found, signal);
    const optimum = landscape && (goal === 'worst' ? landscape[0] : landscape.at(-1));
    const best = found.reduce((top, each) =>
      (goal === 'worst' ? each.value < top.value : each.value > top.value) ? each : top,
    );
    const share = (value: number | undefined) => (value === undefined ? undefined : percent(value));
    const report: SearchReport = {
      schema: 'faultline.search/1',
      model,
      goal,
      measure,
      seed: flags.seed,
      budget: { bits, weighting, choices, policies: String(space.count) },
      images: { searched: searched.dims[0] ?? 0, others: others?.dims[0] ?? 0 },
      fullPrecision: compact({ searched: share(first.accuracy), others: share(second?.accuracy) }),
      agents: found.map((each, i) => ({
        ...each,
        ...(optimum === undefined ? {} : { regret: Number(regretOf(goal, each.value, optimum).toFixed(10)) }),
        ...(judged ? { others: judged[i] as number } : {}),
      })),
      ...(landscape ? { landscape } : {}),
      found: best.agent,
    };
    await run.write('search.json', toJson(report));
    process.stdout.write(flags.json ? toJson(report) : searchText(graph, report, `policy: ${run.file('policy.json')}`));
  });
}

function compact(values: { searched: number | undefined; others: number | undefined }) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as SearchReport['fullPrecision'];
}

/** Every policy found, on images that no agent saw; percent. */
async function judge({ graph, measure, others }: Work, found: readonly Found[], signal: AbortSignal) {
  if (!others) return undefined;
  const policies = found.map(({ policy }) => policyFromJson(graph, policy));
  const results = await evaluatePolicies(graph, policies, others, { signal });
  return results.map((result) => percent(result[measure] as number));
}

export function addSearchCommand(program: Command): void {
  const command = program
    .command('search')
    .argument('<model.onnx>')
    .description('the worst or the best policy of a budget, the network untouched, beside what baselines find')
    .option('--worst', 'the policy that does most harm')
    .option('--best', 'the policy that does least')
    .requiredOption('--budget <bits>', 'effective bits of every policy, exactly', numberOption('--budget'))
    .requiredOption('--bits <list>', 'what a node may get: 4,8 or 2-8 or W4A4,W4A8,W8A8')
    .option('--policy <kind>', 'static, or input: activation bits chosen for each input as it runs', 'static')
    .option('--tolerance <bits>', 'how far from --budget effective bits may lie', numberOption('--tolerance'))
    .option('--weighting <name>', 'what a node counts for in the budget: nodes, weights or macs', 'nodes')
    .option('--pin <node=bits...>', 'bits that some nodes have, as stem.conv=W8A8')
    .option('--exclude <nodes...>', 'nodes left in float32')
    .option(
      '--agent <name>',
      `${DEFAULT_AGENT}, ${BASELINES.join(', ')} or exhaustive; ${INPUT_AGENTS.join(' or ')} for --policy input`,
    )
    .option('--no-baselines', 'only the agent')
    .option('--evaluations <n>', 'policies that each agent may try', integerOption('--evaluations', 1), 40)
    .option(
      '--enumerate <n>',
      'budgets of up to so many policies are enumerated',
      integerOption('--enumerate', 0),
      1024,
    )
    .option('--measure <name>', 'accuracy, or agreement with full precision; default: accuracy where there are labels');
  addInputOptions(command)
    .option('--out <folder>', 'the run, which the same command goes on with; default: runs/search-…')
    .option('--fresh', 'begin anew what --out holds')
    .option('--json', 'everything as JSON on stdout, schema faultline.search/1')
    .action(searchCommand);
}
