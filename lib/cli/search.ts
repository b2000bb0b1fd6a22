// `faultline search`: the worst or the best policy of a budget, the network untouched, static or by input.
import { freeBatch, imageSamples } from '../assess/samples.js';
import { formatScheme, parseScheme, type Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { BudgetSpace } from '../policy/budget.js';
import { inputSearchData, staticSearchData } from '../reproduce/search_data.js';
import { agentNamed, agentsOf } from '../search/agents/index.js';
import { BASELINES } from '../search/controls.js';
import { extremeOf, type Objective } from '../search/judge.js';
import { activationSpaceOf } from '../search/runner.js';
import { searchPolicy } from '../search/search.js';
import { type Context, defineCommand, type Outcome } from './command.js';
import { inputOptions, readImages, readInputs } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { choice, flag, positive, refuse, repeated, text, unless, type Values, wholeNumber } from './option.js';

/** The agent of static policies, the images that it searches on, the policies that it tries and may enumerate. */
const STATIC = { agent: 'ddpg', images: 1000, evaluations: 40, enumerate: 1024 } as const;
/** The agent of policies by input. */
const INPUT_AGENT = 'ppo';

const STATIC_AGENTS = [...agentsOf('static').keys()].join(', ');
const INPUT_AGENTS = [...agentsOf('input').keys()].join(' or ');

const OPTIONS = {
  worst: flag('the policy that does most harm'),
  best: flag('the policy that does least'),
  budget: positive('<bits>', 'effective bits of every policy, exactly', { required: true }),
  bits: text('<list>', 'what a node may get: 4,8 or 2-8 or W4A4,W4A8,W8A8', { required: true }),
  policy: choice('<kind>', 'static, or input: activation bits chosen for each input as it runs', ['static', 'input'], {
    default: 'static',
  }),
  tolerance: positive('<bits>', 'how far from --budget effective bits may lie'),
  weighting: choice(
    '<name>',
    'what a node counts for in the budget: nodes, weights or macs',
    ['nodes', 'weights', 'macs'],
    { default: 'nodes' },
  ),
  pin: repeated('<node=bits...>', 'bits that some nodes have, as stem.conv=W8A8'),
  exclude: repeated('<nodes...>', 'nodes left in float32'),
  agent: text('<name>', `${STATIC_AGENTS}; ${INPUT_AGENTS} for --policy input`),
  baselines: unless('only the agent'),
  evaluations: wholeNumber('<n>', `policies that each agent may try; default ${STATIC.evaluations}`, 1),
  enumerate: wholeNumber('<n>', `budgets of up to so many policies are enumerated; default ${STATIC.enumerate}`, 0),
  measure: choice('<name>', 'accuracy, or agreement with full precision; default: accuracy where there are labels', [
    'accuracy',
    'agreement',
  ]),
  ...inputOptions(),
};

type Options = Values<typeof OPTIONS>;

/** What is searched, checked. */
interface Task {
  readonly model: string;
  readonly graph: Graph;
  readonly objective: Objective;
  readonly budget: ReturnType<typeof budgetOf>;
}

/** `4,8` → W4A4, W8A8; `2-8` → W2A2 … W8A8; `W4A8` as it is. By input, numbers are bits of activations: W8A4, W8A8. */
function choicesOf({ bits: list, policy }: Options): string[] {
  const named = (bits: number) => (policy === 'static' ? `W${bits}A${bits}` : `W8A${bits}`);
  return list.split(',').flatMap((each) => {
    const range = /^(\d)(?:-(\d))?$/.exec(each.trim());
    if (!range) return [formatScheme(parseScheme(each.trim(), 'faultline', '--bits'))];
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (to < from) return refuse('--bits', 'widths as 4,8 or 2-8 or W4A4,W8A8', list);
    return Array.from({ length: to - from + 1 }, (_, i) =>
      formatScheme(parseScheme(named(from + i), 'faultline', '--bits')),
    );
  });
}

/** `node=W8A8` */
function pinsOf(pins: readonly string[] = []): Map<string, Scheme> {
  return new Map(
    pins.map((pin) => {
      const at = pin.lastIndexOf('=');
      if (at < 1) refuse('--pin', 'node=W8A8', pin);
      return [pin.slice(0, at), parseScheme(pin.slice(at + 1), 'faultline', '--pin')];
    }),
  );
}

function objectiveOf({ worst, best }: Options): Objective {
  if (worst === best) refuse('--worst, --best', 'one of the two', worst ? 'both' : 'none');
  return worst ? 'detrimental' : 'robust';
}

function budgetOf(options: Options) {
  const { budget: bits, tolerance, weighting, pin, exclude: excluded } = options;
  return { ...{ bits, tolerance, weighting, excluded }, choices: choicesOf(options), pinned: pinsOf(pin) };
}

/** A network whose batch may have any size: samples are searched on many at a time. */
function withFreeBatch(model: string, loaded: Graph): Graph {
  const { graph, batch } = freeBatch(loaded);
  if (batch === undefined) return graph;
  const expected = 'a batch of any size: export it with a dynamic batch axis';
  return refuse(model, expected, `${batch}, which nodes inside depend on`);
}

type SearchContext = Context<{ readonly model: string }, Options>;

async function searchStatic({ options, signal, progress, openRun }: SearchContext, task: Task): Promise<Outcome> {
  const { evaluations = STATIC.evaluations, enumerate = STATIC.enumerate, images = STATIC.images, seed } = options;
  const { model, graph, objective, budget } = task;
  const agent = agentNamed(options.agent ?? STATIC.agent);
  const space = new BudgetSpace(graph, budget);
  if (agent.name === 'exhaustive' && space.count > BigInt(Math.max(enumerate, evaluations))) {
    refuse('--evaluations', `all ${space.count} policies`, String(evaluations));
  }
  const { samples } = await readInputs(graph, { ...options, images: undefined }, progress);
  const { measure = samples.labels ? 'accuracy' : 'agreement' } = options;
  if (measure === 'accuracy' && !samples.labels) {
    refuse('--measure', 'agreement, where images have no labels', 'accuracy');
  }
  const data = staticSearchData(samples, images, seed);
  const run = await openRun();
  const result = await searchPolicy(graph, data, {
    ...{ model, objective, budget, agent, evaluations, enumerate, measure, seed, run, signal },
    baselines: options.baselines ? BASELINES : [],
    onProgress: ({ stage, done, total, best }) => {
      const so = best === undefined ? '' : `, ${extremeOf(objective)} ${(100 * best).toFixed(2)} %`;
      progress.show(done === total, () => `${stage}: ${done}/${total} policies${so}`);
    },
  });
  return { result, files: [run.file('policy.json')] };
}

async function searchByInput({ options, signal, progress, openRun }: SearchContext, task: Task): Promise<Outcome> {
  for (const name of ['evaluations', 'enumerate', 'measure'] as const) {
    if (options[name] !== undefined) refuse(`--${name}`, '--policy static beside it', 'input');
  }
  if (!options.baselines) refuse('--no-baselines', '--policy static beside it', 'input');
  const { model, graph, objective } = task;
  const budget = { ...task.budget, counted: 'activations' } as const;
  const agent = agentNamed(options.agent ?? INPUT_AGENT, 'input');
  activationSpaceOf(graph, budget);
  const { set, dataset, normalization, layout, prepare } = await readImages(graph, options, progress);
  const { split, images, seed } = options;
  const data = inputSearchData({
    ...{ set, dataset, split, images, seed },
    samples: (part) => imageSamples(graph, prepare(part), normalization, { layout, task: options.task }),
  });
  const run = await openRun();
  const result = await searchPolicy(graph, data, {
    ...{ model, objective, budget, agent, seed, run, signal },
    onProgress: ({ stage, done, total }) =>
      progress.show(done === 0, () => `${stage} ${Math.round((100 * done) / total)} %`),
  });
  return { result, files: [run.file('policy.json')] };
}

export const command = defineCommand({
  name: 'search',
  arguments: MODEL,
  options: OPTIONS,
  out: 'named',
  examples: [
    'faultline search model.onnx --worst --budget 6 --bits 4,8 --data images.npy',
    'faultline search model.onnx --best --budget 6 --bits 4,8 --agent cem --data images.npy --out runs/best',
  ],
  async run(context) {
    const { arguments: all, options, progress } = context;
    const [objective, budget] = [objectiveOf(options), budgetOf(options)];
    const graph = withFreeBatch(all.model, await readJudged(all.model, options, progress));
    const task = { model: all.model, graph, objective, budget };
    return options.policy === 'static' ? searchStatic(context, task) : searchByInput(context, task);
  },
});
