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
  /** Images held out of the training set: at most, and no more than a fifth of it. */
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
  const split = splitByHash(train, validationCount('reproduce', train.count, validation), seed);
  return { name, classNames, normalization, test, ...split };
}

const HELD_OUT_SHARE = 0.2;

/** How many of so many training images are held out to choose on. */
export function validationCount(operation: string, images: number, most: number): number {
  const count = Math.min(most, Math.floor(HELD_OUT_SHARE * images));
  if (count >= 1) return count;
  throw new InvalidArgumentError(
    operation,
    '--data',
    'five or more training images, a fifth to choose on',
    `${images}`,
  );
}
