// Native operations on images: scaled values by a loop, few values moved by the others, the seed, and bad constants.
import assert from 'node:assert/strict';
import { attackRange, corruptImages } from '../../../lib/native/image.js';

const GEOMETRY = { images: 2, height: 8, width: 8, channels: 3 };
const SIZE = 2 * 8 * 8 * 3;
const values = { level: Float32Array.of(10, 20, 30), factor: 2, shift: Float32Array.of(0.5, -1, 0) };
/** Eighths: nothing below is rounded. */
const x = Float32Array.from({ length: SIZE }, (_, i) => (i % 17) / 8);

describe('native image operations', () => {
  it('scale and shift each channel', () => {
    const y = new Float32Array(SIZE);
    attackRange('intensity_scale', values, GEOMETRY, 1, x, y);
    assert.deepEqual(
      y,
      x.map((value, i) => 2 * value + (values.shift[i % 3] as number)),
    );
  });

  it('move one pixel of each image to the bright level, and nothing else', () => {
    const y = new Float32Array(SIZE);
    attackRange('bright_pixel', values, GEOMETRY, 1, x, y);
    for (const start of [0, SIZE / 2]) {
      const moved = Array.from({ length: SIZE / 2 }, (_, i) => start + i).filter((i) => y[i] !== x[i]);
      assert.deepEqual(
        moved.map((i) => y[i]),
        [10, 20, 30],
      );
      assert.equal(new Set(moved.map((i) => Math.floor(i / 3))).size, 1);
    }
  });

  it('draw from the seed', () => {
    const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (5 * i) % 256);
    const noisy = (seed: number) => {
      const y = new Uint8Array(SIZE);
      corruptImages('gaussian_noise', [0.1], GEOMETRY, seed, bytes, y);
      return y;
    };
    assert.deepEqual(noisy(1), noisy(1));
    assert.notDeepEqual(noisy(1), noisy(2));
  });

  it('refuse constants out of bounds and images of two channels', () => {
    const bytes = new Uint8Array(SIZE);
    const corrupt = (constants: number[], geometry = GEOMETRY) =>
      corruptImages('gaussian_noise', constants, geometry, 1, bytes, new Uint8Array(SIZE));
    assert.throws(() => corrupt([-1]), /expected .*, received/);
    assert.throws(() => corrupt([]), /expected .*, received/);
    assert.throws(() => corrupt([0.1], { images: 3, height: 8, width: 8, channels: 2 }), /expected .*, received/);
  });
});
