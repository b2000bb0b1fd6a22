// Loads the package as it lies around this script, multiplies, and prints which addon was loaded and a hash of the
// results. scripts/build-gyp.sh compares two builds with it.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const { matmulDynamic, packWeights } = await import('../dist/lib/index.js');

// Deterministic values in [-1, 1); a linear congruential generator is random enough here.
let state = 1;
const random = (length) =>
  Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });

const hash = createHash('sha256');
for (const bits of [8, 4]) {
  for (const [m, n, k] of [
    [1, 1, 1],
    [5, 33, 129],
    [64, 96, 320],
  ]) {
    const y = matmulDynamic(random(m * k), packWeights(random(n * k), [n, k], { bits }));
    hash.update(new Uint8Array(y.buffer));
  }
}
const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) => file.endsWith('faultline.node'));
console.log(`${hash.digest('hex')} ${loaded.join(' ')}`);
