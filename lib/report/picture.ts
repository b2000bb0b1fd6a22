// Images of a set as data URLs, which a self-contained page can hold.

import { requireInteger } from '../core/errors.js';
import { type ImageSet, imageSize } from '../data/image_set.js';
import { encodePng } from '../data/png.js';

/** Pixels that are inputs unchanged have no fixed range: each image is stretched to black and white. */
function displayable(pixels: Uint8Array | Float32Array): Uint8Array {
  if (pixels instanceof Uint8Array) return pixels;
  const [low, high] = pixels.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity]);
  return Uint8Array.from(pixels, (x) => (high > low ? Math.round((255 * (x - low)) / (high - low)) : 0));
}

/** One image of a set as a data URL. Images of more than 4 channels show their first. */
export function pictureUrl(set: ImageSet, index: number): string {
  requireInteger('pictureUrl', 'index', index, 0, set.count - 1);
  const size = imageSize(set);
  const { height, width } = set;
  let { channels } = set;
  let pixels = displayable(set.pixels.subarray(index * size, (index + 1) * size));
  if (channels > 4) {
    pixels = pixels.filter((_, i) => i % set.channels === 0);
    channels = 1;
  }
  return `data:image/png;base64,${Buffer.from(encodePng(pixels, height, width, channels)).toString('base64')}`;
}
