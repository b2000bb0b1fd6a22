// Arrays of samples and labels: which of their dimensions are what, npz members, refusals.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import { imageSamples } from '../../../lib/assess/samples.js';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset, openDataset } from '../../../lib/data/load.js';
import { imagesOf } from '../../../lib/data/stored_images.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { npy } from '../../support/npy.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

/** A network that returns its input. */
function networkOf(sample: readonly number[]) {
  const g = new GraphBuilder('identity');
  g.output(g.node('y', 'Relu', [g.input('x', ['N', ...sample])]));
  return g.build();
}

/** [n, h, w, c] → [n, c, h, w]. */
function toRows(values: Float32Array, [, c = 0, h = 0, w = 0]: readonly number[]): Float32Array {
  const rows = new Float32Array(values.length);
  for (let i = 0; i < rows.length; i++) {
    const [image, channel, at] = [Math.floor(i / c / h / w), Math.floor(i / h / w) % c, i % (h * w)];
    rows[i] = values[(image * h * w + at) * c + channel] as number;
  }
  return rows;
}

describe('data: arrays', () => {
  const path = temporaryFolder();
  const refuses = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));

  it('reads npy pairs and npz files, channels first or last', async () => {
    const images = path('x.npy');
    const labels = path('y.npy');
    await writeFile(
      images,
      npy(
        '<f4',
        [2, 3, 2, 2],
        Float32Array.from({ length: 24 }, (_, i) => i),
      ),
    );
    await writeFile(labels, npy('<i8', [2], BigInt64Array.of(1n, 0n)));
    const pair = await loadDataset(`${images},${labels}`);
    assert.deepEqual([pair.test.height, pair.test.width, pair.test.channels], [2, 2, 3]);
    assert.deepEqual([...pair.test.pixels.subarray(0, 6)], [0, 4, 8, 1, 5, 9]);
    assert.deepEqual([...(pair.test.labels ?? [])], [1, 0]);
    const bytes = npy(
      '|u1',
      [2, 2, 2, 1],
      Uint8Array.from({ length: 8 }, (_, i) => i),
    );
    const npz = path('set.npz');
    await writeFile(npz, zipSync({ 'x.npy': bytes, 'y.npy': npy('|u1', [2], Uint8Array.of(5, 6)) }));
    const set = await loadDataset(npz);
    assert.deepEqual([...set.test.pixels], [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal(set.classNames.length, 7);
    const train = {
      'x_train.npy': npy('|u1', [1, 2, 2, 3], new Uint8Array(12)),
      'y_train.npy': npy('|u1', [1], Uint8Array.of(8)),
    };
    await writeFile(
      npz,
      zipSync({ 'x_test.npy': bytes, 'y_test.npy': npy('|u1', [2], Uint8Array.of(5, 6)), ...train }),
    );
    const both = await loadDataset(npz);
    assert.deepEqual([both.test.count, both.train?.count, both.classNames.length], [2, 1, 9]);
    assert.deepEqual([...(both.train?.labels ?? [])], [8]);
    await writeFile(npz, (await readFile(npz)).subarray(0, 100));
    await refuses(loadDataset(npz), /set.npz: expected a whole zip file, received one without a directory/);
    await writeFile(images, npy('<f4', [1, 2, 2], Float32Array.of(0, Number.NaN, 1, 2)));
    await refuses(loadDataset(images), /expected finite pixels, received NaN in image 0/);
    await writeFile(images, npy('<c8', [1], new Float32Array(2)));
    await refuses(loadDataset(images), /expected numbers .*, received '<c8', complex numbers/);
    await writeFile(labels, npy('<i8', [1], BigInt64Array.of(1n)));
    await writeFile(images, bytes);
    await refuses(loadDataset(`${images},${labels}`), /expected 2 labels, received 1/);
  });

  it('reads rows and half floats, and refuses labels that are no whole numbers', async () => {
    const images = path('rows.npy');
    const labels = path('row-labels.npy');
    await writeFile(images, npy('<f2', [2, 3], Uint16Array.of(0x3c00, 0xc000, 0x3555, 0, 0x7bff, 1)));
    const { test } = await loadDataset(images);
    assert.deepEqual([test.count, test.height, test.width, test.channels], [2, 1, 3, 1]);
    assert.deepEqual([...test.pixels], [1, -2, 0.333251953125, 0, 65504, 2 ** -24]);
    await writeFile(labels, npy('<f4', [2], Float32Array.of(1, 0)));
    assert.deepEqual([...((await loadDataset(`${images},${labels}`)).test.labels ?? [])], [1, 0]);
    for (const value of [1.5, Number.NaN]) {
      await writeFile(labels, npy('<f4', [2], Float32Array.of(1, value)));
      await refuses(loadDataset(`${images},${labels}`), /row-labels.npy: expected labels that are whole .*at image 1/);
    }
  });

  it('takes an array of the shape of the input as the input', async () => {
    const images = path('input.npy');
    const shapes = [[6, 2, 3], [3, 4, 4], [9, 32, 1], [2, 16, 3], [1, 2, 2, 3], [6, 5], [20_000], [200, 2, 2]];
    for (const sample of shapes) {
      const size = sample.reduce((product, dim) => product * dim);
      const values = Float32Array.from({ length: 2 * size }, (_, i) => i);
      await writeFile(images, npy('<f4', [2, ...sample], values));
      for (const layout of ['nchw', 'nhwc'] as const) {
        const { test, normalization } = await loadDataset(images, { input: { sample, layout } });
        const graph = networkOf(sample);
        const samples = imageSamples(graph, test, normalization, { layout });
        assert.deepEqual(samples.dims, sample);
        const [batch] = samples.batches(2);
        const rows = batch?.layout === 'channelsLast' ? toRows(batch.inputs, [2, ...sample]) : batch?.inputs;
        assert.deepEqual(rows, values, `${sample} ${layout}`);
      }
    }
    await writeFile(images, npy('|u1', [2, 6, 8, 8], new Uint8Array(768)));
    const input = { sample: [5, 8, 8], layout: 'nchw' } as const;
    await refuses(loadDataset(images, { input }), /or the model's input \[N,5,8,8\], received \[2,6,8,8\]/);
  });

  it('refuses labels out of reach at once, and those of another shape', async () => {
    const [images, labels] = [path('few.npy'), path('far.npy')];
    await writeFile(images, npy('|u1', [2, 2, 2], new Uint8Array(8)));
    for (const [label, message] of [
      [50_000_000, /far.npy: expected at most 1048576 classes .*received 50000001/],
      [2 ** 31 - 1, /expected at most 1048576 classes .*received 2147483648/],
      [2 ** 31, /expected labels that are whole numbers ≥ 0, received 2147483648 at image 1/],
      [-1, /expected labels that are whole numbers ≥ 0, received -1 at image 1/],
    ] as const) {
      await writeFile(labels, npy('<i8', [2], BigInt64Array.of(0n, BigInt(label))));
      await assert.rejects(loadDataset(`${images},${labels}`), message);
    }
    await writeFile(labels, npy('|u1', [2, 3], new Uint8Array(6)));
    await refuses(loadDataset(`${images},${labels}`), /far.npy: expected labels \[N\] or \[N,1\], received \[2,3\]/);
    await writeFile(labels, npy('|u1', [2, 1], Uint8Array.of(1, 0)));
    assert.deepEqual([...((await loadDataset(`${images},${labels}`)).test.labels ?? [])], [1, 0]);
  });

  it('keeps booleans 0 and 1, and reads large Fortran-ordered files into memory', async () => {
    const images = path('other.npy');
    await writeFile(images, npy('|b1', [1, 2, 2], Uint8Array.of(0, 1, 1, 0)));
    assert.deepEqual((await loadDataset(images)).test.pixels, Float32Array.of(0, 1, 1, 0));
    await writeFile(images, npy('<i2', [2, 3], Int16Array.of(1, 2, 3, 4, 5, 6), { fortran: true }));
    const { test } = await openDataset(images, { least: 1 });
    assert.deepEqual(imagesOf(test, [0, 1]).pixels, Float32Array.of(1, 3, 5, 2, 4, 6));
  });
});
