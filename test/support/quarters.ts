// A small image task that a small network learns in a second.
import type { ImageSet, Normalization } from '../../lib/data/image_set.js';
import { Loader } from '../../lib/data/loader.js';
import { Random } from '../../lib/tensor/random.js';

export const QUARTERS_NORMALIZATION: Normalization = { mean: [0.4], std: [0.2] };

/** Eight-pixel pictures with a bright quarter: the class says which. */
export function quarters(count: number, seed: number): ImageSet & { readonly labels: Int32Array } {
  const [height, width] = [8, 8];
  const random = new Random(seed);
  const pixels = new Uint8Array(count * height * width);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const label = random.integer(4);
    labels[i] = label;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const bright = (y < 4 ? 0 : 2) + (x < 4 ? 0 : 1) === label;
        pixels[(i * height + y) * width + x] = random.integer(120) + (bright ? 100 : 0);
      }
    }
  }
  return { count, height, width, channels: 1, pixels, labels };
}

/** Such pictures as one batch of a network's inputs, with labels. */
export function quartersBatch(count: number, seed: number) {
  const set = quarters(count, seed);
  const [batch] = new Loader(set, { batchSize: count, normalization: QUARTERS_NORMALIZATION }).epoch(0);
  const inputs = batch?.inputs as Float32Array;
  return { dims: [count, 1, 8, 8], inputs, layout: 'channelsLast', labels: set.labels } as const;
}
