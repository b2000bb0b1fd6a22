// Resizing as Pillow does it: values that Pillow 9.4 gave.
import assert from 'node:assert/strict';
import { cover } from '../../../lib/data/resize.js';

const grey = (height: number, width: number) => ({
  height,
  width,
  channels: 1,
  data: Uint8Array.from({ length: height * width }, (_, i) => (i * i * 7 + 3 * i) % 256),
});

describe('cover', () => {
  it("equals Pillow's bilinear resize and torchvision's centre crop", () => {
    assert.deepEqual([...cover(grey(5, 7), 3, 3)], [69, 86, 123, 117, 88, 60, 131, 163, 100]);
    assert.deepEqual(
      [...cover(grey(3, 4), 5, 6)],
      [
        0, 5, 14, 30, 53, 72, 50, 66, 73, 35, 56, 86, 124, 157, 161, 43, 61, 108, 179, 152, 127, 134, 123, 110, 216,
        149, 105, 195, 165, 112,
      ],
    );
    assert.deepEqual([...cover(grey(9, 4), 2, 3)], [74, 116, 78, 48, 81, 113]);
    assert.deepEqual(
      [...cover(grey(6, 6), 4, 4)],
      [21, 81, 106, 160, 67, 143, 101, 88, 35, 90, 100, 138, 150, 128, 68, 139],
    );
    assert.deepEqual([...cover(grey(2, 9), 4, 2)], [111, 141, 122, 151, 143, 172, 154, 182]);
    assert.deepEqual([...cover(grey(11, 3), 1, 2)], [64, 61]);
  });

  it('leaves a picture of the right size alone', () => {
    const picture = grey(3, 4);
    assert.deepEqual(cover(picture, 3, 4), picture.data);
  });
});
