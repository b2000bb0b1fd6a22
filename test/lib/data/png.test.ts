// PNG files: read again by sharp, pixel for pixel.
import assert from 'node:assert/strict';
import { encodePng } from '../../../lib/data/png.js';
import { Random } from '../../../lib/tensor/random.js';

describe('data: PNG', () => {
  // sharp may give a grey file as three equal channels: the first is compared.
  for (const channels of [1, 3, 4]) {
    it(`of ${channels} channels gives its pixels back`, async () => {
      const { default: sharp } = await import('sharp');
      const random = new Random(channels);
      const pixels = Uint8Array.from({ length: 5 * 7 * channels }, () => random.integer(256));
      const picture = sharp(encodePng(pixels, 5, 7, channels));
      const { width, height, channels: received } = await picture.metadata();
      assert.deepEqual([height, width, received], [5, 7, channels]);
      const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
      const step = channels === 1 ? info.channels : 1;
      assert.deepEqual([...data.filter((_, i) => i % step === 0)], [...pixels]);
    });
  }

  it('refuses other shapes than those of the pixels', () => {
    assert.throws(() => encodePng(new Uint8Array(11), 2, 2, 3), /pixels: expected 12 bytes, received 11/);
    assert.throws(
      () => encodePng(new Uint8Array(20), 2, 2, 5),
      /channels: expected an integer from 1 to 4, received 5/,
    );
    assert.throws(() => encodePng(new Uint8Array(0), 0, 2, 3), /height: expected an integer from 1/);
  });
});
