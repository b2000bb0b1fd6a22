// The MNIST family: where it is found, and how damaged files are refused.
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { loadMnist } from '../../../lib/data/mnist.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const FASHION = '/usr/share/datasets/fashion-mnist';

describe('data: MNIST', () => {
  const path = temporaryFolder();
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

  it('refuses truncated, altered and missing IDX files by name', async () => {
    const copy = path('idx');
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
    await refuses(loadMnist('fashion-mnist', copy), /t10k-labels-idx1-ubyte.gz: expected whole gzip data/);
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
    await refuses(loadMnist('mnist', path('nowhere')), /MNIST's four IDX files .*--data-dir/);
  });
});
