// A folder of pictures, a folder in it a class.
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('data: image folder', () => {
  const path = temporaryFolder();
  const refuses = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: unknown) => error instanceof DataError && message.test(error.message));

  it('reads a folder of pictures by class', async () => {
    const { default: sharp } = await import('sharp');
    const root = path('pictures');
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
    await refuses(loadDataset(path('nothing')), /a folder of pictures/);
  });
});
