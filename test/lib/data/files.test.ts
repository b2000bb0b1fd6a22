// Files of data sets: fetched once, and checked.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DataError } from '../../../lib/data/errors.js';
import { loadMnist } from '../../../lib/data/mnist.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const FASHION = '/usr/share/datasets/fashion-mnist';

describe('data: files', () => {
  const path = temporaryFolder();
  const refuses = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));

  it('fetches a data set from a web address once, and refuses what has another checksum', async () => {
    let requests = 0;
    const server = createServer(async (request, response) => {
      requests++;
      response.end(await readFile(join(FASHION, (request.url ?? '').slice(1))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cache = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = path('cache');
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
});
