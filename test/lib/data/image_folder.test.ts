// A folder of pictures, a folder in it a class.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

  it('walks folders as ImageFolder does, and says what it leaves out', async () => {
    const root = path('tree');
    const ppm = (value: number) => Buffer.concat([Buffer.from('P5 1 1 255\n'), Uint8Array.of(value)]);
    const files: [string, number][] = [
      ['b/2.PGM', 4],
      ['b/10.pgm', 3],
      ['b/more/deep/1.pgm', 6],
      ['b/more/1.pgm', 5],
      ['B/x.pgm', 1],
      ['a/y.ppm', 2],
      ['a/notes.txt', 0],
      ['a/moving.gif', 0],
      ['beside.png', 0],
      ['.cache/z.pgm', 0],
    ];
    for (const [name, value] of files) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), ppm(value));
    }
    const data = await loadDataset(root, { channels: 1 });
    assert.deepEqual(data.classNames, ['B', 'a', 'b']); // by code points
    assert.deepEqual([...data.test.pixels], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...(data.test.labels ?? [])], [0, 1, 2, 2, 2, 2]);
    assert.deepEqual(
      data.notes?.map((note) => note.replace(root, 'tree')),
      [
        'tree: 3 files left out: 1 of .gif, 1 of .txt, 1 of .png',
        'tree: pictures beside class folders are left out',
        'tree: hidden folders left out: .cache',
      ],
    );
    await mkdir(join(root, 'empty'));
    await refuses(loadDataset(root), /tree\/empty: expected one or more pictures of the class .*, received none/);
    await symlink(root, join(root, 'a', 'loop'));
    await refuses(loadDataset(root), /received a link to a folder above it/);
  });

  it('refuses what is no picture at once, whatever its name', async () => {
    const root = path('strange');
    await mkdir(root);
    const picture = join(root, 'a.png');
    execFileSync('mkfifo', [picture]);
    await refuses(loadDataset(root), /a.png: expected a regular file, received a pipe/);
    await rm(picture);
    for (const [content, received] of [
      ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'an SVG drawing'],
      ['<svg width="9" height="9"/>', 'an SVG drawing'],
      ['', 'an empty file'],
      ['%PDF-1.4', 'another file'],
    ] as const) {
      await writeFile(picture, content);
      await refuses(loadDataset(root), new RegExp(`a.png: expected a picture: PNG, .*, received ${received}`));
    }
    await writeFile(picture, 'P5 60000 60000 255\n');
    await assert.rejects(
      loadDataset(root),
      /a.png: expected at most 134217728 pixels of a picture .*received 3600000000/,
    );
  });

  it("makes grey of colours by ITU-R 601, as Pillow's convert('L')", async () => {
    const root = path('colours');
    await mkdir(root);
    const colours = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 165, 120, 130);
    await writeFile(join(root, 'a.ppm'), Buffer.concat([Buffer.from('P6 4 1 255\n'), colours]));
    const { test } = await loadDataset(root, { channels: 1 });
    assert.deepEqual([...test.pixels], [76, 150, 29, 135]);
  });
});
