// Which images are for choosing and which for training: decided for each image by a hash of its pixels and the seed.
import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '../core/errors.js';
import { type ImageSet, imageSize, subset } from './image_set.js';

interface Split {
  readonly train: ImageSet;
  readonly validation: ImageSet;
}

/** An image's place in the order that the seed gives: depends on its pixels only. */
function key(set: ImageSet, image: number, seed: number): bigint {
  const bytesEach = imageSize(set) * set.pixels.BYTES_PER_ELEMENT;
  const pixels = new Uint8Array(set.pixels.buffer, set.pixels.byteOffset + image * bytesEach, bytesEach);
  return createHash('sha256').update(`${seed}:`).update(pixels).digest().readBigUInt64LE();
}

/**
 * Holds out `validationCount` images. The split depends on the seed and on each image's pixels, not on the order of the
 * file, and equal images go to the same side as far as the count allows. Order is kept within each part.
 */
export function splitByHash(set: ImageSet, validationCount: number, seed: number): Split {
  if (!Number.isInteger(validationCount) || validationCount < 1 || validationCount >= set.count) {
    throw new InvalidArgumentError(
      'splitByHash',
      'validationCount',
      `an integer from 1 to ${set.count - 1}`,
      String(validationCount),
    );
  }
  const keys = Array.from({ length: set.count }, (_, i) => ({ i, key: key(set, i, seed) }));
  keys.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.i - b.i));
  const indices = keys.map(({ i }) => i);
  const ascending = (a: number, b: number) => a - b;
  return {
    validation: subset(set, indices.slice(0, validationCount).sort(ascending)),
    train: subset(set, indices.slice(validationCount).sort(ascending)),
  };
}
