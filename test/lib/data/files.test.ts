// Readers of data files: what they read, and how they refuse damaged ones.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { loadMnist } from '../../../lib/data/mnist.js';

const FASHION = '/usr/share/datasets/fashion-mnist';

/** A .npy file, version 1. */
function npy(descr: string, dims: readonly number[], data: ArrayBufferView): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((11 + text.length) / 64) * 64 - 11)}\n`;
  const prefix = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8);
  return Buffer.concat([prefix, Buffer.from(header), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

describe('data files', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-data-'));
  });
  after(() => rm(folder, { recursive: true }));

  const refuses = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));

  it('finds Fashion-MNIST where Debian puts it, with the published contents', async () => {
    const data = await loadDataset('fashion-mnist');
    assert.deepEqual([data.train?.count, data.test.count], [60000, 10000]);
    assert.deepEqual([data.test.height, data.test.width, data.test.channels], [28, 28, 1]);
    const perClass = new Array(10).fill(0);
    for (const label of data.test.labels ?? []) perClass[label]++;
    assert.deepEqual(perClass, new Array(10).fill(1000));
    assert.equal(data.classNames[data.test.labels?.[0] ?? 0], 'ankle boot');
    const { train, ...others } = data;
    assert.deepEqual(await loadDataset('fashion-mnist', { testOnly: true }), others);
  });

  it('fetches a data set from a web address once, and refuses what has another checksum', async () => {
    let requests = 0;
    const server = createServer(async (request, response) => {
      requests++;
      response.end(await readFile(join(FASHION, (request.url ?? '').slice(1))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cache = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(folder, 'cache');
    try {
      assert.equal((await loadMnist('fashion-mnist', address)).test.count, 10000);
      await loadMnist('fashion-mnist', address);
      assert.equal(requests, 4);
      await refuses(loadMnist('mnist', address), /train-images-idx3-ubyte.gz: expected SHA-256 ba89.*, received c59f/);
    } finally {
      if (cache === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = cache;
      server.close();
    }
  });

  it('refuses truncated, altered and missing IDX files by name', async () => {
    const copy = join(folder, 'idx');
    await mkdir(copy);
    const names = [
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte',
      't10k-images-idx3-ubyte',
      't10k-labels-idx1-ubyte',
    ];
    for (const name of names) await writeFile(join(copy, `${name}.gz`), await readFile(join(FASHION, `${name}.gz`)));
    const labels = join(copy, `${names[3]}.gz`);
    const whole = await readFile(labels);
    await writeFile(labels, whole.subarray(0, 1000));
    await refuses(loadMnist('fashion-mnist', copy), /t10k-labels-idx1-ubyte.gz: expected a whole gzip file/);
    const altered = gunzipSync(whole);
    altered[5000] = (altered[5000] as number) ^ 1;
    await writeFile(labels, gzipSync(altered));
    await refuses(
      loadMnist('fashion-mnist', copy),
      /t10k-labels-idx1-ubyte.gz: expected SHA-256 .* a damaged or another file/,
    );
    await rm(labels);
    await refuses(
      loadMnist('fashion-mnist', copy),
      /t10k-labels-idx1-ubyte.gz: expected a file of the data set, received none/,
    );
    await refuses(loadMnist('mnist', join(folder, 'nowhere')), /MNIST's four IDX files .*--data-dir/);
  });

  it("reads CIFAR's planes as channels and takes the fine label", async () => {
    const record = (label: number[], shade: number) =>
      Uint8Array.from([...label, ...[0, 1, 2].flatMap((c) => new Array(1024).fill(shade + c))]);
    const cifar = join(folder, 'cifar');
    await mkdir(cifar);
    const two = Buffer.concat([record([3], 10), record([9], 100)]);
    for (let i = 1; i <= 5; i++) await writeFile(join(cifar, `data_batch_${i}.bin`), two);
    await writeFile(join(cifar, 'test_batch.bin'), two);
    const data = await loadDataset('cifar10', { from: cifar });
    assert.equal(data.train?.count, 10);
    const { train, ...others } = data;
    assert.deepEqual(await loadDataset('cifar10', { from: cifar, testOnly: true }), others);
    assert.deepEqual([...(data.test.labels ?? [])], [3, 9]);
    assert.deepEqual([...data.test.pixels.subarray(3072, 3078)], [100, 101, 102, 100, 101, 102]);
    await writeFile(join(cifar, 'train.bin'), record([1, 42], 0));
    await writeFile(join(cifar, 'test.bin'), record([1, 42], 0));
    assert.deepEqual([...((await loadDataset('cifar100', { from: cifar })).test.labels ?? [])], [42]);
    await writeFile(join(cifar, 'test_batch.bin'), two.subarray(1));
    await refuses(
      loadDataset('cifar10', { from: cifar }),
      /test_batch.bin: expected whole records of 3073 bytes, received 6145/,
    );
    await writeFile(join(cifar, 'test_batch.bin'), record([10], 0));
    await refuses(loadDataset('cifar10', { from: cifar }), /expected labels from 0 to 9, received 10 at image 0/);
  });

  it('reads npy pairs and npz files, channels first or last', async () => {
    const images = join(folder, 'x.npy');
    const labels = join(folder, 'y.npy');
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
    const npz = join(folder, 'set.npz');
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
    const images = join(folder, 'rows.npy');
    const labels = join(folder, 'row-labels.npy');
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

  it('reads a folder of pictures by class', async () => {
    const { default: sharp } = await import('sharp');
    const root = join(folder, 'pictures');
    for (const [name, red] of [
      ['cat', 200],
      ['dog', 40],
    ] as const) {
      await mkdir(join(root, name), { recursive: true });
      const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: { r: red, g: 0, b: 0 } } });
      await picture.png().toFile(join(root, name, 'a.png'));
    }
    await mkdir(join(root, '.thumbnails')); // hidden: no class
    await symlink(join(root, 'dog'), join(root, 'elk'));
    await symlink(join(root, 'gone'), join(root, 'fox')); // leads nowhere: no class
    const data = await loadDataset(root, { height: 2, width: 2 });
    assert.deepEqual(data.classNames, ['cat', 'dog', 'elk']);
    assert.deepEqual([...data.test.pixels.subarray(0, 3)], [200, 0, 0]);
    assert.deepEqual([...(data.test.labels ?? [])], [0, 1, 2]);
    await writeFile(join(root, 'dog', 'b.png'), 'no picture');
    await refuses(loadDataset(root, { height: 2, width: 2 }), /b.png: expected a picture/);
    await refuses(loadDataset(join(folder, 'nothing')), /expected fashion-mnist, mnist/);
  });
});
