// IDX files: magic, sizes and elements.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { loadIdx, parseIdx } from '../../../lib/data/idx.js';
import { idx } from '../../support/idx.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('data: IDX', () => {
  const path = temporaryFolder();

  it('has a shape and bytes, images with their labels, packed or not', async () => {
    const { dims, data } = parseIdx('x', idx([2, 1, 3], [1, 2, 3, 4, 5, 6]), 3);
    assert.deepEqual(
      [dims, [...data]],
      [
        [2, 1, 3],
        [1, 2, 3, 4, 5, 6],
      ],
    );
    await writeFile(path('images'), gzipSync(idx([2, 1, 3], [1, 2, 3, 4, 5, 6])));
    await writeFile(path('labels'), idx([2], [7, 0]));
    const { test, classNames } = await loadIdx(path('images'), path('labels'));
    assert.deepEqual([test.count, test.height, test.width, test.channels], [2, 1, 3, 1]);
    assert.deepEqual(
      [[...test.pixels], [...(test.labels ?? [])]],
      [
        [1, 2, 3, 4, 5, 6],
        [7, 0],
      ],
    );
    assert.equal(classNames.length, 8);
  });

  it('refuses another rank, another type, and a file cut short, by name', () => {
    const bytes = idx([2, 3], [1, 2, 3, 4, 5, 6]);
    assert.throws(() => parseIdx('x.idx', bytes, 3), /x\.idx: expected IDX magic 0x00000803 .*, received 0x00000802/);
    assert.throws(
      () => parseIdx('x.idx', bytes.subarray(0, 17), 2),
      /x\.idx: expected 6 bytes for \[2,3\], received 5/,
    );
    assert.throws(() => parseIdx('x.idx', bytes.subarray(0, 7), 2), /x\.idx: expected an IDX header of 12 bytes/);
  });
});
