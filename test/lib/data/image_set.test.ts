// Images in memory: parts that fit together, and choices of them.
import assert from 'node:assert/strict';
import { firstImages, imageSet, subset } from '../../../lib/data/image_set.js';

const SHAPE = { height: 1, width: 2, channels: 2 };

describe('data: image set', () => {
  const pixels = Uint8Array.from({ length: 12 }, (_, i) => i);
  const labels = Int32Array.of(2, 0, 1);
  const set = imageSet('x', { ...SHAPE, pixels, labels });

  it('counts its images, and gives those of some indices with their labels, copied', () => {
    assert.equal(set.count, 3);
    const chosen = subset(set, [2, 0, 2]);
    assert.deepEqual([...chosen.pixels], [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    assert.deepEqual([...(chosen.labels ?? [])], [1, 2, 1]);
    assert.notEqual(chosen.pixels.buffer, pixels.buffer);
    assert.deepEqual([...firstImages(set, 1).pixels], [0, 1, 2, 3]);
    assert.equal(firstImages(set, 9), set);
  });

  it('refuses parts that do not fit, naming the file', () => {
    const refused = (parts: object, message: RegExp, classes?: number) =>
      assert.throws(() => imageSet('x.npy', { ...SHAPE, pixels, ...parts }, classes), message);
    refused({ pixels: pixels.subarray(1) }, /x\.npy: expected one or more whole 1×2×2 images, received 11 values/);
    refused({ pixels: pixels.subarray(12) }, /received 0 values/);
    refused({ labels: labels.subarray(1) }, /expected 3 labels, received 2/);
    refused({ labels }, /expected labels from 0 to 1, received 2 at image 0/, 2);
    refused({ labels: Int32Array.of(0, -1, 0) }, /expected labels ≥ 0, received -1 at image 1/);
    refused({ pixels: Float32Array.from(pixels, (x) => 1 / (x - 5)) }, /finite pixels, received Infinity in image 1/);
  });
});
