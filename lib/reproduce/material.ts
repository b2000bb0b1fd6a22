// What all stages work on: the data set split into images to train on, to choose on and to report on, and the last two as
// inputs of a network.

import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { loadDataset } from '../data/load.js';
import type { LoadOptions } from '../data/reader.js';
import { splitByHash } from '../data/split.js';

export interface Material {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** Weights are learned on these, */
  readonly train: ImageSet;
  /** everything is chosen on these, */
  readonly validation: ImageSet;
  /** and these give the figures of the report. */
  readonly test: ImageSet;
}

interface MaterialOptions extends LoadOptions {
  /** Images held out of the training set. */
  readonly validation: number;
  /** Of the split. */
  readonly seed: number;
}

/** Throws DataError, or InvalidArgumentError when the set has no training images, no labels, or too few of either. */
export async function loadMaterial(data: string, options: MaterialOptions): Promise<Material> {
  const { validation, seed, ...load } = options;
  requireInteger('reproduce', 'validation', validation, 1, Number.MAX_SAFE_INTEGER);
  const { name, classNames, normalization, train, test } = await loadDataset(data, load);
  if (!train) throw new InvalidArgumentError('reproduce', '--data', 'a set with training images', data);
  for (const [part, set] of Object.entries({ train, test })) {
    if (!set.labels) throw new InvalidArgumentError('reproduce', '--data', 'labels', `${part} images without, ${data}`);
  }
  if (validation >= train.count) {
    const expected = `fewer than the ${train.count} training images`;
    throw new InvalidArgumentError('reproduce', '--validation', expected, String(validation));
  }
  return { name, classNames, normalization, test, ...splitByHash(train, validation, seed) };
}
