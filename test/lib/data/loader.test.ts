// Splits and batches: seeded, independent of where one starts, and of the order of the file.
import assert from 'node:assert/strict';
import { type ImageSet, imageSet, subset } from '../../../lib/data/image_set.js';
import { Loader, type LoaderOptions } from '../../../lib/data/loader.js';
import { splitByHash } from '../../../lib/data/split.js';
import { addon } from '../../../lib/native/addon.js';
import { Random } from '../../../lib/tensor/random.js';

function randomSet(count: number, channels = 1): ImageSet {
  const random = new Random(7);
  const pixels = Uint8Array.from({ length: count * 36 * channels }, () => random.integer(256));
  return imageSet('test', {
    height: 6,
    width: 6,
    channels,
    pixels,
    labels: Int32Array.from({ length: count }, (_, i) => i),
  });
}

const PLAIN = { mean: [0], std: [1 / 255] }; // inputs equal the bytes, up to rounding

describe('splitByHash', () => {
  it('holds out the same images whatever the order of the file', () => {
    const set = randomSet(50);
    const shuffled = subset(set, new Random(1).shuffle(Int32Array.from({ length: 50 }, (_, i) => i)));
    const held = (s: ImageSet) => [...(splitByHash(s, 12, 3).validation.labels ?? [])].sort((a, b) => a - b);
    assert.deepEqual(held(shuffled), held(set));
    assert.notDeepEqual(
      held(set),
      [...(splitByHash(set, 12, 4).validation.labels ?? [])].sort((a, b) => a - b),
    );
    const { train, validation } = splitByHash(set, 12, 3);
    assert.equal(new Set([...(train.labels ?? []), ...(validation.labels ?? [])]).size, 50);
    assert.throws(() => splitByHash(set, 50, 3), /validationCount: expected an integer from 1 to 49, received 50/);
  });
});

describe('a native batch filler', () => {
  const none = undefined;
  const [pixels, inputs, place] = [new Uint8Array(2 * 12), new Float32Array(12), new Int32Array(5)];
  const table = new Float32Array(3 * 256);

  it('refuses what does not fit, and a second batch at once', () => {
    const filler = new addon.BatchFiller();
    const start = (indices: number[], hole = 0, placement: Int32Array | undefined = none) =>
      filler.start(1, 2, 2, 3, pixels, table, Int32Array.from(indices), placement, hole);
    assert.throws(() => start([2]), /indices: expected places of images, received 2/);
    assert.throws(() => start([-1]), /indices/);
    assert.throws(() => start([0], -1), /hole/);
    assert.throws(() => start([0], 0, new Int32Array(4)), /placement/);
    assert.throws(() => start([0], 0, Int32Array.of(0, 2 ** 30, 0, 0, 0)), /placement: expected shifts/);
    assert.throws(() => filler.start(1, 2, 2, 3, pixels, none, Int32Array.of(0), none, 0), /table/);
    assert.throws(() => filler.wait(inputs), /expected a filler at work/);
    start([1], 1, place);
    assert.throws(() => start([1]), /expected a filler that nothing occupies/);
    assert.throws(() => filler.wait(new Float32Array(11)), /inputs/);
    filler.wait(inputs);
    start([1]);
    filler.wait(inputs);
  });

  it('fills from what the arrays held, whatever becomes of their buffers', () => {
    const side = 64;
    const [images, values] = [8, side * side];
    const filler = new addon.BatchFiller();
    const shades = Float32Array.from({ length: 256 }, (_, byte) => byte);
    for (const fate of ['shrink', 'transfer'] as const) {
      const size = [images * values, { maxByteLength: images * values }];
      const buffer = Reflect.construct(ArrayBuffer, size) as ArrayBuffer;
      const source = new Uint8Array(buffer).fill(7);
      const to = new Float32Array(images * values);
      const indices = Int32Array.from({ length: images }, (_, i) => i);
      filler.start(images, side, side, 1, source, shades, indices, none, 0);
      if (fate === 'shrink') (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(0);
      else structuredClone(buffer, { transfer: [buffer] });
      filler.wait(to);
      assert.ok(to.every((value) => value === 7));
      assert.throws(() => filler.start(1, side, side, 1, source, shades, Int32Array.of(0), none, 0), /indices/);
    }
    filler.start(1, 2, 2, 3, pixels, table, Int32Array.of(0), none, 0);
    structuredClone(inputs.buffer, { transfer: [inputs.buffer] });
    assert.throws(() => filler.wait(inputs), /inputs: expected a live Float32Array, received a detached one/);
  });
});

describe('Loader', () => {
  const options: LoaderOptions = { batchSize: 4, normalization: PLAIN, seed: 5 };
  /** Batches share their arrays, so each is copied as it comes. */
  const copy = (loader: Loader, epoch: number, first = 0) => {
    const batches: { inputs: Float32Array; labels: Int32Array }[] = [];
    for (const { inputs, labels } of loader.epoch(epoch, first)) {
      batches.push({ inputs: inputs.slice(), labels: labels.slice() });
    }
    return batches;
  };

  it('shows every image once an epoch, in another order each time', () => {
    const loader = new Loader(randomSet(10), options);
    const [first, second] = [0, 1].map((epoch) => copy(loader, epoch).flatMap(({ labels }) => [...labels]));
    assert.deepEqual(
      [...(first ?? [])].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.notDeepEqual(first, second);
    assert.equal(copy(new Loader(randomSet(10), { ...options, dropLast: true }), 0).length, 2);
  });

  it('normalises by channel', () => {
    const set = imageSet('test', { height: 1, width: 1, channels: 3, pixels: Uint8Array.of(0, 51, 255) });
    const normalization = { mean: [0.5, 0.2, 0], std: [0.5, 1, 0.25] };
    const [batch] = copy(new Loader(set, { batchSize: 1, normalization }), 0);
    const expected = [-1, Math.fround(51 / 255 - 0.2), 4];
    assert.deepEqual([...(batch?.inputs ?? [])], expected);
  });

  it('gives the same batches when an epoch is entered in the middle', () => {
    const loader = new Loader(randomSet(22, 3), {
      ...options,
      normalization: { mean: [0, 0, 0], std: [1, 1, 1] },
      augmentation: { flip: true, crop: 2, cutout: 3 },
    });
    assert.deepEqual(copy(loader, 2, 3), copy(loader, 2).slice(3));
  });

  it('flips, shifts and cuts out, and nothing else', () => {
    const set = randomSet(1);
    const original = Array.from(set.pixels);
    const row = (values: number[], y: number) => values.slice(6 * y, 6 * y + 6);
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 40; epoch++) {
      const make = (augmentation: LoaderOptions['augmentation'] & object) =>
        Array.from(
          copy(new Loader(set, { ...options, batchSize: 1, augmentation }), epoch)[0]?.inputs ?? [],
          Math.round,
        );
      const flipped = make({ flip: true });
      const mirror = row(original, 0).slice().reverse();
      assert.ok([row(original, 0), mirror].some((wanted) => wanted.join() === row(flipped, 0).join()));
      seen.add(flipped.join());
      const holes = make({ cutout: 2 }).filter((value, i) => value !== original[i]);
      assert.ok(holes.length <= 4 && holes.every((value) => value === 0));
      const shifted = make({ crop: 1 });
      const shifts = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx] as const));
      const moved = ([dy, dx]: readonly [number, number]) =>
        original.map((_, i) => {
          const [y, x] = [Math.floor(i / 6) + dy, (i % 6) + dx];
          return y < 0 || y > 5 || x < 0 || x > 5 ? 0 : original[6 * y + x];
        });
      assert.ok(shifts.some((shift) => moved(shift).join() === shifted.join()));
    }
    assert.equal(seen.size, 2);
  });

  it('takes floats as they stand, the last batch smaller, labels missing', () => {
    const pixels = Float32Array.from({ length: 5 * 8 }, (_, i) => i);
    const set = imageSet('test', { height: 2, width: 2, channels: 2, pixels });
    const batches = copy(new Loader(set, { batchSize: 2, normalization: { mean: [0, 0], std: [1, 1] } }), 0);
    assert.deepEqual(
      batches.flatMap(({ inputs }) => [...inputs]),
      [...pixels],
    );
    assert.deepEqual(
      batches.map(({ labels }) => [...labels]),
      [[-1, -1], [-1, -1], [-1]],
    );
  });

  it('leaves a batch alone until the next one is asked for, though that is filled meanwhile', async () => {
    const batches = new Loader(randomSet(40), options).epoch(0);
    for (const { inputs } of batches) {
      const before = inputs.slice();
      await new Promise((resolve) => setTimeout(resolve, 2));
      assert.deepEqual(inputs, before);
    }
  });

  it('may be left in the middle of an epoch', () => {
    for (const batch of new Loader(randomSet(40), options).epoch(0)) {
      assert.equal(batch.count, 4);
      break;
    }
  });

  it('refuses normalization of another number of channels', () => {
    assert.throws(() => new Loader(randomSet(1, 3), options), /normalization.mean: expected 3 numbers, received 1/);
    assert.throws(() => new Loader(randomSet(1), { ...options, batchSize: 0 }), /batchSize: expected an integer ≥ 1/);
  });
});
