// PNG files: headers, rows and check sums as the standard has them.
import assert from 'node:assert/strict';
import { unzlibSync } from 'fflate';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { encodePng } from '../../../lib/data/png.js';

describe('encodePng: rows and check sums', () => {
  it('PNG files hold the pixels', () => {
    const pixels = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
    const png = encodePng(pixels, 5, 4, 3);
    const view = new DataView(png.buffer);
    assert.deepEqual([view.getUint32(16), view.getUint32(20), png[24], png[25]], [4, 5, 8, 2]);
    const length = view.getUint32(33);
    const rows = unzlibSync(png.subarray(41, 41 + length));
    for (let y = 0; y < 5; y++) {
      assert.equal(rows[y * 13], 0);
      assert.deepEqual(rows.subarray(y * 13 + 1, (y + 1) * 13), pixels.subarray(y * 12, (y + 1) * 12));
    }
    // The end chunk, whose check sum the standard gives.
    assert.deepEqual([...png.subarray(-8)], [...Buffer.from('IEND'), 0xae, 0x42, 0x60, 0x82]);
    assert.throws(() => encodePng(pixels, 5, 4, 4), InvalidArgumentError);
  });
});
