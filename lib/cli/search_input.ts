// `faultline search --policy input`: an agent that chooses activation bits for each input as it runs, the network
// untouched. It learns on some images without labels, is selected on others, and judged on those of the test beside the
// controls that tell whether it looks at its input.
import { imageSamples, type Samples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type ImageSet, subset } from '../data/image_set.js';
import { splitByHash } from '../data/split.js';
import type { Graph } from '../graph/graph.js';
import type { BudgetOptions } from '../quant/budget.js';
import type { EvaluationData } from '../quant/evaluate_policies.js';
import { type PolicyJson, policyFromJson, policyToJson, type Weighting } from '../quant/policy.js';
import { DEFAULTS } from '../reproduce/settings.js';
import { toJson } from '../run/files.js';
import type { RunDirectory } from '../run/run_directory.js';
import { evaluateControls, type Score } from '../search/controls.js';
import { inputPolicyFromJson, inputPolicyToJson } from '../search/input_policy_json.js';
import { type InputSearchOptions, searchInputPolicy } from '../search/input_search.js';
import type { Goal } from '../search/judge.js';
import { Runner } from '../search/runner.js';
import { ActivationSpace } from '../search/space.js';
import { fullPrecision } from '../train/full_precision.js';
import { type Images, type InputFlags, readImages } from './inputs.js';
import { Progress } from './progress.js';

/** Accuracy, where there are labels, and agreement with full precision; percent. */
interface Figures {
  readonly name: string;
  readonly accuracy?: number;
  readonly agreement: number;
}

export interface InputSearchReport {
  readonly schema: 'faultline.search-input/1';
  readonly model: string;
  readonly goal: Goal;
  readonly seed: number;
  readonly budget: { readonly bits: number; readonly choices: readonly string[]; readonly policies: string };
  readonly images: { readonly learned: number; readonly selected: number; readonly judged: number };
  /** The agent first, then its controls. */
  readonly figures: readonly Figures[];
  /** How many policies the agent chose, and its commonest one's share of the images, percent. */
  readonly chosen: { readonly policies: number; readonly commonest: number };
  /** The best static policy found on the images that were selected on. */
  readonly static: PolicyJson;
  /** Agreement on these, as the agent learned; percent. */
  readonly history: readonly { readonly iteration: number; readonly agreement: number }[];
}

/** Of images that come as one set: learned on, the rest is halved. */
const LEARNED_SHARE = 0.5;
/** Of training images: held out at most. */
const HELD_OUT_SHARE = 0.2;

const percent = (share: number) => Number((100 * share).toFixed(10));

interface Parts {
  readonly learned: ImageSet;
  readonly selected: ImageSet;
  readonly judged: ImageSet;
}

/**
 * Training and test images where the data have both: held out are those that `train` and `pair` hold out with the same
 * seed. Else one set in three parts.
 */
function partsOf({ set, dataset }: Images, { split, seed, images }: InputFlags): Parts {
  const first = (all: ImageSet, count = all.count) =>
    subset(
      all,
      Int32Array.from({ length: Math.min(count, all.count) }, (_, i) => i),
    );
  const held = (all: ImageSet, count: number, why: string) => {
    if (count < 1) throw new InvalidArgumentError('search', '--data', `images enough to ${why}`, String(all.count));
    return splitByHash(all, count, seed);
  };
  const { train, test } = dataset;
  if (train && test && split === 'test') {
    const count = Math.min(DEFAULTS.validation, Math.floor(HELD_OUT_SHARE * train.count));
    const { train: rest, validation } = held(train, count, 'select on');
    return { learned: first(rest, images), selected: validation, judged: test };
  }
  const { train: rest, validation: others } = held(set, Math.floor((1 - LEARNED_SHARE) * set.count), 'judge on');
  const { train: selected, validation: judged } = held(others, Math.floor(others.count / 2), 'judge on');
  return { learned: first(rest, images), selected, judged };
}

const whole = (samples: Samples): EvaluationData => [...samples.batches(samples.count)][0] as EvaluationData;

/** A budget whose choices are named as reports name them. */
export type NamedBudget = BudgetOptions & { readonly choices: readonly string[]; readonly weighting: Weighting };

export interface InputSearch {
  readonly model: string;
  readonly graph: Graph;
  readonly goal: Goal;
  readonly budget: NamedBudget;
  readonly agent: 'gate' | 'ppo';
  readonly flags: InputFlags;
}

/** What the run is made of: checked and read before it is opened, so that nothing wrong leaves a folder. */
export async function prepareInputSearch({ graph, budget, flags }: InputSearch) {
  const runner = new Runner(graph);
  try {
    new ActivationSpace(graph, runner.plan.products, budget);
  } finally {
    runner.dispose();
  }
  const images = await readImages(graph, flags);
  const data = (set: ImageSet) =>
    whole(imageSamples(graph, images.prepare(set), images.normalization, { layout: images.layout }));
  const { learned, selected, judged } = partsOf(images, flags);
  return { learned: data(learned), selected: data(selected), judged: data(judged) };
}

export async function searchInput(
  search: InputSearch,
  data: Awaited<ReturnType<typeof prepareInputSearch>>,
  run: RunDirectory,
  signal: AbortSignal,
): Promise<InputSearchReport> {
  const { model, graph, goal, budget, agent, flags } = search;
  const { seed } = flags;
  const objective = goal === 'worst' ? 'detrimental' : 'robust';
  const line = new Progress();
  const found = await run.stage('search', async (stage) => {
    let doing = '';
    const options: InputSearchOptions = {
      ...{ budget, objective, seed, signal },
      ...(agent === 'gate' ? { ppo: { iterations: 0 } } : {}),
      onStage: (name) => {
        doing = name;
        line.show(true, () => name);
      },
      onProgress: (done, total) => line.show(false, () => `${doing} ${Math.round((100 * done) / total)} %`),
    };
    const { policy, bestStatic, history } = await searchInputPolicy(graph, data.learned, data.selected, options);
    await stage.write('policy.json', toJson(inputPolicyToJson(policy)));
    return {
      static: policyToJson(bestStatic),
      history: history.map(({ iteration, agreement }) => ({ iteration, agreement: percent(agreement) })),
    };
  });
  const policy = inputPolicyFromJson(graph, JSON.parse((await run.read('policy.json')).toString()));
  const report = await run.stage('judgement', async (): Promise<InputSearchReport> => {
    line.show(true, () => 'judgement');
    const controls = await evaluateControls(graph, policy, policyFromJson(graph, found.static), data.judged, {
      ...{ objective, seed, signal },
    });
    const { accuracy } = await fullPrecision(graph, data.judged, { signal });
    const figures = (name: string, score: Score | undefined): Figures[] => {
      if (!score) return [];
      const own = { name, agreement: percent(score.agreement as number) };
      return [score.accuracy === undefined ? own : { ...own, accuracy: percent(score.accuracy) }];
    };
    return {
      ...{ schema: 'faultline.search-input/1', model, goal, seed },
      budget: { bits: budget.bits, choices: budget.choices, policies: String(policy.space.count) },
      images: {
        learned: data.learned.dims[0] as number,
        selected: data.selected.dims[0] as number,
        judged: data.judged.dims[0] as number,
      },
      figures: [
        ...figures('full precision', { accuracy, agreement: 1 }),
        ...figures('agent', controls.agent),
        ...figures('open loop', controls.openLoop),
        ...figures('shuffled bits', controls.shuffled),
        ...figures(`${goal} static`, controls.bestStatic),
        ...figures('oracle', controls.oracle),
        ...figures('oracle with labels', controls.labelOracle),
      ],
      chosen: { policies: controls.policies, commonest: percent(controls.openLoop.share) },
      ...found,
    };
  });
  line.end();
  await run.write('search.json', toJson(report));
  return report;
}

const NOTES: Readonly<Record<string, string>> = {
  agent: 'bits chosen for each input as it runs',
  'open loop': 'its commonest policy for every input',
  'shuffled bits': "each input gets another input's bits",
  'worst static': 'the worst static found, selected likewise',
  'best static': 'the best static found, selected likewise',
  oracle: 'the strongest of 128 for each input',
  'oracle with labels': 'the same, knowing the label',
};

/** 80 columns. */
export function inputSearchText(report: InputSearchReport, last: string): string {
  const { goal, budget, images, figures, chosen } = report;
  const two = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(2));
  const labels = figures.some(({ accuracy }) => accuracy !== undefined);
  const row = (name: string, accuracy: string, agreement: string, note: string) =>
    `${name.padEnd(19)}${labels ? accuracy.padStart(9) : ''}${agreement.padStart(11)}  ${note}`.trimEnd();
  return [
    `${goal} policy by input: ${budget.policies} policies, ${Number(budget.bits.toFixed(2))} bits for activations on average`,
    `learned on ${images.learned} images, selected on ${images.selected}, judged on ${images.judged}`,
    '',
    row('', 'accuracy', 'agreement', ''),
    ...figures.map(({ name, accuracy, agreement }) => row(name, two(accuracy), two(agreement), NOTES[name] ?? '')),
    '',
    `it chose ${chosen.policies} policies, the commonest for ${two(chosen.commonest)} % of the images`,
    last,
    '',
  ].join('\n');
}
