// npy and npz files: images, labels and refusals.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { zipSync } from 'fflate';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

/** A .npy file, version 1. */
function npy(descr: string, dims: readonly number[], data: ArrayBufferView): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((11 + text.length) / 64) * 64 - 11)}\n`;
  const prefix = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8);
  return Buffer.concat([prefix, Buffer.from(header), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

describe('data: npy', () => {
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
    await refuses(loadDataset(npz), /set.npz: expected a whole .npz/);
    await writeFile(images, npy('<f4', [1, 2, 2], Float32Array.of(0, Number.NaN, 1, 2)));
    await refuses(loadDataset(images), /expected finite pixels, received NaN in image 0/);
    await writeFile(images, npy('<c8', [1], new Float32Array(2)));
    await refuses(loadDataset(images), /expected a dtype among .*, received <c8/);
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
});
