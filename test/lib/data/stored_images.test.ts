// Images that stay in their files: the same as those in memory.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageSamples } from '../../../lib/assess/samples.js';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset, openDataset } from '../../../lib/data/load.js';
import { imagesOf } from '../../../lib/data/stored_images.js';
import { buildModel } from '../../../lib/models/index.js';
import { Random } from '../../../lib/tensor/random.js';
import { idx } from '../../support/idx.js';
import { npy } from '../../support/npy.js';

const COUNT = 23;

describe('stored images', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const random = new Random(1);
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.integer(256));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-stored-'));
    const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 4);
    writeFileSync(path('labels.npy'), npy('|u1', [COUNT], labels));
    writeFileSync(path('grey.npy'), npy('|u1', [COUNT, 5, 6], bytes(COUNT * 30)));
    writeFileSync(path('first.npy'), npy('|u1', [COUNT, 3, 5, 6], bytes(COUNT * 90)));
    const floats = Float32Array.from({ length: COUNT * 90 }, () => random.normal());
    writeFileSync(path('floats.npy'), npy('<f4', [COUNT, 5, 6, 3], new Uint8Array(floats.buffer)));
    const shorts = Int16Array.from({ length: COUNT * 30 }, () => random.integer(1000) - 500);
    writeFileSync(path('shorts.npy'), npy('<i2', [COUNT, 5, 6], new Uint8Array(shorts.buffer)));
    writeFileSync(path('grey.idx3'), idx([COUNT, 5, 6], bytes(COUNT * 30)));
    writeFileSync(path('labels.idx1'), idx([COUNT], labels));
  });
  after(() => rmSync(folder, { recursive: true }));

  const open = (...names: string[]) => openDataset(names.map(path).join(','), { least: 1 });
  const specs = [
    ['grey.npy', 'labels.npy'],
    ['first.npy'],
    ['floats.npy', 'labels.npy'],
    ['shorts.npy'],
    ['grey.idx3', 'labels.idx1'],
  ];

  it('are those of the same file in memory, in any order', async () => {
    for (const names of specs) {
      const [stored, held] = [await open(...names), await loadDataset(names.map(path).join(','))];
      assert.ok('read' in stored.test, names[0]);
      for (const indices of [[0, 1, 2], [22, 3, 4, 5, 3], Array.from({ length: COUNT }, (_, i) => i)]) {
        assert.deepEqual(imagesOf(stored.test, indices), imagesOf(held.test, indices), names[0]);
      }
      const { test: _, ...rest } = stored;
      const { test: __, ...wanted } = held;
      assert.deepEqual(rest, wanted);
    }
  });

  it('make the same samples: batches, choices and parts', async () => {
    const graph = buildModel('mlp', { input: [3, 5, 6], classes: 4, seed: 1 });
    const plain = { mean: [0, 0, 0], std: [1, 1, 1] };
    const spec = ['floats.npy', 'labels.npy'];
    const [stored, held] = [await open(...spec), await loadDataset(spec.map(path).join(','))].map(({ test }) =>
      imageSamples(graph, test, plain, { count: 17, seed: 3 }),
    );
    assert.ok(stored && held);
    const parts = [stored.take(Int32Array.of(9, 2, 3)), held.take(Int32Array.of(9, 2, 3))] as const;
    for (const [a, b] of [[stored, held], parts] as const) {
      assert.deepEqual([a.count, a.dims, a.labels], [b.count, b.dims, b.labels]);
      for (const size of [1, 4, 100]) {
        const [received, wanted] = [a, b].map((samples) =>
          Array.from(samples.batches(size), ({ inputs, ...batch }) => ({ ...batch, inputs: inputs.slice() })),
        );
        assert.deepEqual(received, wanted);
      }
    }
  });

  it('a large folder of pictures is decoded once, out of memory', async () => {
    const { default: sharp } = await import('sharp');
    for (const name of ['cat', 'dog']) {
      mkdirSync(path(`pictures/${name}`), { recursive: true });
      for (let i = 0; i < 3; i++) {
        const raw = { raw: { width: 8, height: 6, channels: 3 as const } };
        writeFileSync(path(`pictures/${name}/${i}.png`), await sharp(bytes(144), raw).png().toBuffer());
      }
    }
    const [stored, held] = [await open('pictures'), await loadDataset(path('pictures'))];
    assert.ok('read' in stored.test);
    assert.deepEqual(stored.classNames, ['cat', 'dog']);
    assert.deepEqual(imagesOf(stored.test, [5, 0, 1]), imagesOf(held.test, [5, 0, 1]));
  });

  it('are refused when the file is short, labels do not fit, or a pixel is not finite', async () => {
    const refuses = (promise: Promise<unknown>, message: RegExp) =>
      assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));
    writeFileSync(path('short.npy'), npy('|u1', [COUNT, 5, 6], bytes(100)));
    await refuses(open('short.npy'), /short\.npy: expected 690 bytes/);
    writeFileSync(path('few.npy'), npy('|u1', [3], bytes(3)));
    await refuses(open('grey.npy', 'few.npy'), /expected 23 labels, received 3/);
    const values = new Float32Array(2 * 30);
    values[42] = Number.NaN;
    writeFileSync(path('nan.npy'), npy('<f4', [2, 5, 6], new Uint8Array(values.buffer)));
    const { test } = await open('nan.npy');
    assert.throws(() => imagesOf(test, [0, 1]), /expected finite pixels, received NaN in image 1/);
    truncateSync(path('grey.idx3'), 400);
    await refuses(open('grey.idx3'), /expected 690 bytes/);
  });
});
