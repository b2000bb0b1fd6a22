// What a network sees of data: figures by channel, and warnings where the inputs are unlike those of training.
import assert from 'node:assert/strict';
import { type ImageSet, imageSet } from '../../../lib/data/image_set.js';
import { inspectData } from '../../../lib/data/inspect_data.js';
import { Random } from '../../../lib/tensor/random.js';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const PLAIN = { mean: [0, 0, 0], std: [1, 1, 1] };

/** Images whose channels have these means, of 255. */
function images(means: readonly number[], floats?: (byte: number) => number): ImageSet {
  const random = new Random(3);
  const bytes = Uint8Array.from({ length: 40 * 16 * means.length }, (_, i) =>
    Math.min(255, Math.max(0, Math.round((means[i % means.length] as number) + 40 * random.normal()))),
  );
  const labels = Int32Array.from({ length: 40 }, (_, i) => i % 3);
  const pixels = floats ? Float32Array.from(bytes, floats) : bytes;
  return imageSet('test', { height: 4, width: 4, channels: means.length, pixels, labels });
}

const warningsOf = async (set: ImageSet, normalization = PLAIN, normalized = normalization !== PLAIN) =>
  (await inspectData(set, normalization, { normalized })).warnings;

describe('inspectData', () => {
  it('measures inputs after normalization, and counts classes', async () => {
    const set = imageSet('x', {
      ...{ height: 1, width: 2, channels: 2, labels: Int32Array.of(0, 2) },
      pixels: Uint8Array.of(0, 51, 255, 51, 255, 51, 0, 51),
    });
    const options = { normalized: true, classNames: ['a', 'b', 'c'] };
    const seen = await inspectData(set, { mean: [0.5, 0.2], std: [0.5, 1] }, options);
    assert.deepEqual(seen.channels[0], { min: -1, max: 1, mean: 0, std: 1 });
    assert.deepEqual([seen.channels[1]?.min, seen.channels[1]?.std], [0, 0]);
    assert.deepEqual(seen.classes, [
      { name: 'a', count: 1 },
      { name: 'c', count: 1 },
    ]);
    assert.deepEqual(seen.warnings, ['channel 1 is 0 everywhere']);
    assert.deepEqual([...seen.sheet.subarray(1, 4)], [...Buffer.from('PNG')]);
  });

  it('warns of what is unlike training, and of nothing else', async () => {
    const natural = [124, 116, 104];
    assert.deepEqual(await warningsOf(images(natural), IMAGENET), []);
    const cases: [Promise<readonly string[]>, RegExp][] = [
      [warningsOf(images(natural)), /no normalization/],
      [warningsOf(images(natural, (byte) => byte / 255 / 255)), /\[0, 1\/255\]/],
      [warningsOf(images(natural, (byte) => byte)), /they are not scaled/],
      [warningsOf(images([...natural].reverse()), IMAGENET), /may be swapped \(--bgr\)/],
      [warningsOf(images(natural, (byte) => byte - 1000)), /far from 0/],
    ];
    for (const [warnings, expected] of cases) {
      const received = await warnings;
      assert.equal(received.length, 1, String(received));
      assert.match(received[0] as string, expected);
    }
    // Without mean and deviation of the model nothing says how the channels are ordered.
    assert.deepEqual(await warningsOf(images([...natural].reverse()), IMAGENET, false), []);
  });

  it('shows rows and volumes too, the longest cut', async () => {
    for (const [width, count] of [
      [20, 3],
      [5000, 1],
    ] as const) {
      const pixels = Float32Array.from({ length: width * count }, (_, i) => Math.sin(i));
      const set = imageSet('rows', { height: 1, width, channels: 1, pixels, sample: [width] });
      const seen = await inspectData(set, { mean: [0], std: [1] }, { normalized: false });
      assert.deepEqual(seen.shape, [width]);
      const header = new DataView(seen.sheet.buffer, seen.sheet.byteOffset);
      assert.ok(header.getUint32(16) <= 1100, String(header.getUint32(16)));
    }
  });
});
