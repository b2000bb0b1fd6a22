// `faultline search`: the worst or the best policy of a budget, the network untouched; the agent beside its baselines.

import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { freeBatch, type Samples, splitSamples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme, parseScheme, type Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { BudgetSpace } from '../policy/budget.js';
import { sha256, toJson } from '../run/files.js';
import { RunDirectory } from '../run/run_directory.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import { agentNamed, agentsOf } from '../search/agents/index.js';
import { BASELINES } from '../search/controls.js';
import { extremeOf, type Objective } from '../search/judge.js';
import { searchPolicy } from '../search/search.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, numberOption } from './options.js';
import { Progress } from './progress.js';
import { inputSearchText, type NamedBudget, prepareInputSearch } from './search_input.js';
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

type PolicyKind = 'static' | 'input';

/** The agent of static policies, and the images that it searches on. */
const DEFAULT_AGENT = 'ddpg';
const DEFAULT_IMAGES = 1000;
/** The agent of policies by input. */
const INPUT_AGENT = 'ppo';

/** Options that mean nothing where bits are chosen for each input. */
const STATIC_ONLY = ['evaluations', 'enumerate', 'measure', 'baselines'] as const;

const list = (text: string) => text.split(',').map((part) => part.trim());
/** Bits that a number on the command line stands for: of weights and activations, or of activations that are chosen. */
const BITS_OF: Readonly<Record<PolicyKind, (bits: number) => string>> = {
  static: (bits) => `W${bits}A${bits}`,
  input: (bits) => `W8A${bits}`,
};

/** `4,8` → W4A4, W8A8; `2-8` → W2A2 … W8A8; `W4A8` as it is. */
function choicesOf(text: string, kind: PolicyKind): string[] {
  return list(text).flatMap((part) => {
    const range = /^(\d)(?:-(\d))?$/.exec(part);
    if (!range) return [formatScheme(parseScheme(part))];
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    const all = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => BITS_OF[kind](from + i));
    if (all.length > 0) return all.map((bits) => formatScheme(parseScheme(bits)));
    throw new InvalidArgumentError('search', '--bits', 'widths as 4,8 or 2-8 or W4A4,W8A8', text);
  });
}

function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const name = names.find((each) => each === text);
  if (name) return name;
  throw new InvalidArgumentError('search', option, names.join(' or '), text);
}

/** `node=W8A8` */
function pinsOf(pins: readonly string[] = []): Map<string, Scheme> {
  return new Map(
    pins.map((pin) => {
      const at = pin.lastIndexOf('=');
      if (at < 1) throw new InvalidArgumentError('search', '--pin', 'node=W8A8', pin);
      return [pin.slice(0, at), parseScheme(pin.slice(at + 1))];
    }),
  );
}

function objectiveOf({ worst, best }: SearchFlags): Objective {
  if (worst === best)
    throw new InvalidArgumentError('search', '--worst, --best', 'one of the two', worst ? 'both' : 'none');
  return worst ? 'detrimental' : 'robust';
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
  const objective = objectiveOf(flags);
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
  if (kind === 'static') await searchStatic(model, graph, budget, objective, flags);
  else await searchByInput(model, graph, { ...budget, counted: 'activations' }, objective, flags);
}

async function searchByInput(
  model: string,
  graph: Graph,
  budget: NamedBudget,
  objective: Objective,
  flags: SearchFlags,
): Promise<void> {
  const agent = agentNamed(flags.agent ?? INPUT_AGENT, 'input');
  const data = await prepareInputSearch(graph, budget, flags);
  await inRun(model, flags, async (run, signal) => {
    const line = new Progress();
    const report = await searchPolicy(graph, data, {
      ...{ model, objective, budget, agent, seed: flags.seed, run, signal },
      onProgress: ({ stage, done, total }) =>
        line.show(done === 0, () => `${stage} ${Math.round((100 * done) / total)} %`),
    });
    line.end();
    await run.write('search.json', toJson(report));
    process.stdout.write(flags.json ? toJson(report) : inputSearchText(report, `policy: ${run.file('policy.json')}`));
  });
}

async function searchStatic(
  model: string,
  graph: Graph,
  budget: NamedBudget,
  objective: Objective,
  given: SearchFlags,
): Promise<void> {
  const flags = { ...given, agent: given.agent ?? DEFAULT_AGENT, images: given.images ?? DEFAULT_IMAGES };
  const agent = agentNamed(flags.agent);
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
    const line = new Progress();
    const { evaluations, enumerate, seed } = flags;
    const report = await searchPolicy(graph, parts(samples, images, seed), {
      ...{ model, objective, budget, agent, evaluations, enumerate, measure, seed, run, signal },
      baselines: flags.baselines ? BASELINES : [],
      onProgress: ({ stage, done, total, best }) => {
        const so = best === undefined ? '' : `, ${extremeOf(objective)} ${(100 * best).toFixed(2)} %`;
        line.show(done === total, () => `${stage}: ${done}/${total} policies${so}`);
      },
    });
    line.end();
    await run.write('search.json', toJson(report));
    process.stdout.write(flags.json ? toJson(report) : searchText(graph, report, `policy: ${run.file('policy.json')}`));
  });
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
      `${DEFAULT_AGENT}, ${BASELINES.map(({ name }) => name).join(', ')} or exhaustive; ${[...agentsOf('input').keys()].join(' or ')} for --policy input`,
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
    .option('--json', 'everything as JSON on stdout, schema faultline.search/2')
    .action(searchCommand);
}
