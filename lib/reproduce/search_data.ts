// Which samples `searchPolicy` searches on, and which it judges on.
import { type Samples, splitSamples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type Dataset, firstImages, type ImageSet } from '../data/image_set.js';
import { splitByHash } from '../data/split.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import type { InputSearchData, StaticSearchData } from '../search/search.js';
import { validationCount } from './material.js';
import { DEFAULTS } from './settings.js';

/** Of images that are one set: learned on, the rest is halved. */
const LEARNED_SHARE = 0.5;

function whole(samples: Samples): EvaluationData {
  const [all] = samples.batches(samples.count);
  if (!all) throw new InvalidArgumentError('search', '--images', 'one or more', 'none');
  return all;
}

/** `images` samples to search on and, where enough are left, as many others that nothing is chosen on. */
export function staticSearchData(samples: Samples, images: number, seed: number): StaticSearchData {
  if (samples.count <= images) return { searched: whole(samples) };
  const [searched, rest] = splitSamples(samples, images, seed);
  const count = Math.min(images, rest.count);
  return { searched: whole(searched), others: whole(rest.take(Int32Array.from({ length: count }, (_, i) => i))) };
}

interface InputSearchImages {
  /** The requested split. */
  readonly set: ImageSet;
  /**
   * Where it has training and test images, and the test images were requested: learned on the first, judged on the
   * others.
   */
  readonly dataset: Dataset;
  readonly split: string;
  /** Learned on at most. Default: all. */
  readonly images?: number | undefined;
  readonly seed: number;
  /** The network's input of a set. */
  readonly samples: (set: ImageSet) => Samples;
}

function partsOf({ set, dataset, split, images, seed }: InputSearchImages) {
  const held = (all: ImageSet, count: number, why: string) => {
    if (count < 1) throw new InvalidArgumentError('search', '--data', `images enough to ${why}`, String(all.count));
    return splitByHash(all, count, seed);
  };
  const learned = (all: ImageSet) => firstImages(all, images ?? all.count);
  const { train, test } = dataset;
  if (train && test && split === 'test') {
    const { train: rest, validation } = splitByHash(
      train,
      validationCount('search', train.count, DEFAULTS.validation),
      seed,
    );
    return { learned: learned(rest), selected: validation, judged: test };
  }
  const { train: rest, validation: others } = held(set, Math.floor((1 - LEARNED_SHARE) * set.count), 'judge on');
  const { train: selected, validation: judged } = held(others, Math.floor(others.count / 2), 'judge on');
  return { learned: learned(rest), selected, judged };
}

/**
 * Training and test images where the data have both: held out are those that `train` and `pair` hold out with the same
 * seed. Else one set in three parts. Throws InvalidArgumentError where there are too few.
 */
export function inputSearchData(images: InputSearchImages): InputSearchData {
  const { learned, selected, judged } = partsOf(images);
  const data = (set: ImageSet) => whole(images.samples(set));
  return { learned: data(learned), selected: data(selected), judged: data(judged) };
}
