// Held-out images: chosen by their pixels and the seed, wherever they stand in the file.
import assert from 'node:assert/strict';
import { type ImageSet, imageSet, subset } from '../../../lib/data/image_set.js';
import { splitByHash } from '../../../lib/data/split.js';
import { Random } from '../../../lib/tensor/random.js';

const COUNT = 40;

/** Images as text: their pixels tell them apart. */
function images(set: ImageSet): string[] {
  return Array.from({ length: set.count }, (_, i) => `${set.labels?.[i]}: ${set.pixels.subarray(4 * i, 4 * i + 4)}`);
}

describe('data: split', () => {
  const random = new Random(2);
  const pixels = Uint8Array.from({ length: 4 * COUNT }, () => random.integer(256));
  const labels = Int32Array.from({ length: COUNT }, (_, i) => i);
  const set = imageSet('test', { height: 2, width: 2, channels: 1, pixels, labels });

  it('parts the set: nothing lost, nothing twice, the order kept', () => {
    const { train, validation } = splitByHash(set, 13, 1);
    assert.deepEqual([train.count, validation.count], [COUNT - 13, 13]);
    for (const part of [train, validation])
      assert.deepEqual(
        [...(part.labels ?? [])],
        [...(part.labels ?? [])].sort((a, b) => a - b),
      );
    assert.deepEqual([...images(train), ...images(validation)].sort(), images(set).sort());
  });

  it('chooses the same images from a file in another order, others by another seed', () => {
    const reversed = subset(set, [...labels].reverse());
    const chosen = (from: ImageSet, seed: number) => images(splitByHash(from, 13, seed).validation).sort();
    assert.deepEqual(chosen(reversed, 1), chosen(set, 1));
    assert.notDeepEqual(chosen(set, 2), chosen(set, 1));
  });

  it('refuses to leave one side empty', () => {
    for (const count of [0, COUNT, 1.5]) {
      assert.throws(() => splitByHash(set, count, 1), /validationCount: expected an integer from 1 to 39, received/);
    }
  });
});
