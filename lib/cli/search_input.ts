// `faultline search --policy input`: an agent that chooses activation bits for each input as it runs, the network
// untouched. It learns on some images without labels, is selected on others, and judged on those of the test beside the
// controls that tell whether it looks at its input.

import { imageSamples, type Samples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type ImageSet, subset } from '../data/image_set.js';
import { splitByHash } from '../data/split.js';
import type { Graph } from '../graph/graph.js';
import type { BudgetOptions } from '../policy/budget.js';
import type { Weighting } from '../policy/effective_bits.js';
import { DEFAULTS } from '../reproduce/settings.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import { extremeOf } from '../search/judge.js';
import { InputPolicyRunner } from '../search/runner.js';
import type { InputSearchData, InputSearchReport } from '../search/search.js';
import { ActivationSpace } from '../search/space.js';
import { type Images, type InputFlags, readImages } from './inputs.js';

/** Of images that come as one set: learned on, the rest is halved. */
const LEARNED_SHARE = 0.5;
/** Of training images: held out at most. */
const HELD_OUT_SHARE = 0.2;

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

/** What the run is made of: checked and read before it is opened, so that nothing wrong leaves a folder. */
export async function prepareInputSearch(
  graph: Graph,
  budget: NamedBudget,
  flags: InputFlags,
): Promise<InputSearchData> {
  const runner = new InputPolicyRunner(graph);
  try {
    new ActivationSpace(graph, runner.program.products, budget);
  } finally {
    runner.dispose();
  }
  const images = await readImages(graph, flags);
  const data = (set: ImageSet) =>
    whole(imageSamples(graph, images.prepare(set), images.normalization, { layout: images.layout }));
  const { learned, selected, judged } = partsOf(images, flags);
  return { learned: data(learned), selected: data(selected), judged: data(judged) };
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
  const { objective, budget, images, figures, chosen } = report;
  const two = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(2));
  const labels = figures.some(({ accuracy }) => accuracy !== undefined);
  const row = (name: string, accuracy: string, agreement: string, note: string) =>
    `${name.padEnd(19)}${labels ? accuracy.padStart(9) : ''}${agreement.padStart(11)}  ${note}`.trimEnd();
  return [
    `${extremeOf(objective)} policy by input: ${budget.policies} policies, ${Number(budget.bits.toFixed(2))} bits for activations on average`,
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
