// CIFAR: planes, labels and refusals.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('data: CIFAR', () => {
  const path = temporaryFolder();
  const refuses = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));

  it("reads CIFAR's planes as channels and takes the fine label", async () => {
    const record = (label: number[], shade: number) =>
      Uint8Array.from([...label, ...[0, 1, 2].flatMap((c) => new Array(1024).fill(shade + c))]);
    const cifar = path('cifar');
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
});
