// matmulDynamic against a plain reference in TypeScript, its invariances, and its refusals.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { perGroup } from '../../../lib/format/granularity.js';
import { matmulDynamic, matmulDynamicAccumulators } from '../../../lib/native/matmul.js';
import { packWeights } from '../../../lib/native/packed_weights.js';

/** Uniform values in [−1, 1), reproducible (mulberry32). */
function randomArray(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const half = x - floor;
  if (half !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Σ (q − zeroPoint) · w in plain numbers, from the definition. */
function referenceAccumulators(x: Float32Array, m: number, codes: Int8Array, n: number, k: number, bits: number) {
  const acc = new Int32Array(m * n);
  const qmax = 2 ** bits - 1;
  for (let row = 0; row < m; row++) {
    const values = x.subarray(row * k, (row + 1) * k);
    const min = Math.min(0, ...values);
    const max = Math.max(0, ...values);
    const scale = Math.fround(Math.fround(max - min) / qmax) || 1;
    const zeroPoint = roundHalfEven(Math.min(qmax, Math.max(0, Math.fround(-min / scale))));
    for (let channel = 0; channel < n; channel++) {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        const q = roundHalfEven(Math.fround((values[i] as number) / scale)) + zeroPoint;
        sum += (Math.min(qmax, Math.max(0, q)) - zeroPoint) * (codes[channel * k + i] as number);
      }
      acc[row * n + channel] = sum;
    }
  }
  return acc;
}

describe('matmulDynamic', () => {
  it('has the accumulators of the definition for every bit width', () => {
    const [m, n, k] = [5, 19, 37];
    for (let weightBits = 2; weightBits <= 8; weightBits++) {
      for (let activationBits = 2; activationBits <= 8; activationBits++) {
        const x = randomArray(m * k, weightBits * 10 + activationBits);
        const weights = packWeights(randomArray(n * k, weightBits), [n, k], { bits: weightBits });
        const got = matmulDynamicAccumulators(x, weights, { activationBits });
        assert.deepEqual(got, referenceAccumulators(x, m, weights.codes(), n, k, activationBits));
        weights.dispose();
      }
    }
  });

  it('applies bias, residual and clip in that order', () => {
    const [m, n, k] = [3, 5, 8];
    const x = randomArray(m * k, 1);
    const weights = packWeights(randomArray(n * k, 2), [n, k]);
    const plain = matmulDynamic(x, weights);
    const residual = randomArray(m * n, 3);
    const added = matmulDynamic(x, weights, { residual });
    assert.deepEqual(
      added,
      plain.map((y, i) => y + (residual[i] as number)),
    );
    const clipped = matmulDynamic(x, weights, { residual, clip: [0, 0.5] });
    assert.deepEqual(
      clipped,
      added.map((y) => Math.min(0.5, Math.max(0, y))),
    );
  });

  it('gives a row the same bits whatever its neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150 }), fc.nat(), (n, k, seed) => {
        const m = 21;
        const x = randomArray(m * k, seed);
        const weights = packWeights(randomArray(n * k, seed + 1), [n, k], { bits: 2 + (seed % 7) });
        const all = matmulDynamic(x, weights);
        for (const row of [0, 7, 16, 20]) {
          const alone = matmulDynamic(x.subarray(row * k, (row + 1) * k), weights);
          assert.deepEqual(alone, all.subarray(row * n, (row + 1) * n));
        }
        weights.dispose();
      }),
      { numRuns: 50 },
    );
  });

  it('takes bits by row', () => {
    const [m, n, k] = [7, 4, 33];
    const x = randomArray(m * k, 9);
    const weights = packWeights(randomArray(n * k, 10), [n, k]);
    const bits = Uint8Array.from([2, 3, 4, 5, 6, 7, 8]);
    const mixed = matmulDynamic(x, weights, { activationBits: bits });
    bits.forEach((b, row) => {
      const uniform = matmulDynamic(x, weights, { activationBits: b });
      assert.deepEqual(mixed.subarray(row * n, (row + 1) * n), uniform.subarray(row * n, (row + 1) * n));
    });
  });

  it('names the row that holds NaN or infinity', () => {
    const weights = packWeights(randomArray(4 * 40, 1), [4, 40]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const x = randomArray(3 * 40, 2);
      x[2 * 40 + 39] = bad;
      assert.throws(() => matmulDynamic(x, weights), /x: expected finite values, received NaN or infinity in row 2/);
    }
  });

  it('refuses what it cannot take, saying what was expected and what received', () => {
    const weights = packWeights(randomArray(4 * 8, 1), [4, 8]);
    const x = randomArray(16, 1);
    const refusals: [() => unknown, RegExp][] = [
      [() => matmulDynamic(randomArray(9, 1), weights), /x: expected a multiple of k = 8 elements, received 9/],
      [
        () => matmulDynamic(x, weights, { bias: new Float32Array(3) }),
        /bias: expected at least 4 elements, received 3/,
      ],
      [() => matmulDynamic(x, weights, { activationBits: 9 }), /activationBits: expected an integer from 2 to 8/],
      [() => matmulDynamic(x, weights, { activationBits: Uint8Array.of(8, 1) }), /received 1 in row 1/],
      [() => matmulDynamic(x, weights, { clip: [1, 0] }), /clip: expected \[min, max\]/],
      [() => matmulDynamic(x, weights, { out: new Float32Array(7) }), /out: expected at least 8 elements, received 7/],
      [() => matmulDynamic([1] as unknown as Float32Array, weights), /x: expected Float32Array, received Array/],
      [() => matmulDynamic(x, {} as never), /weights: expected PackedWeights, received Object/],
      [() => packWeights(x, [4, 5]), /weights: expected 20 elements for shape \[4, 5\], received 16/],
      [() => packWeights(x, [0, 5]), /shape: expected \[n, k\]/],
      [() => packWeights(x, [2, 8], { bits: 1 }), /bits: expected an integer from 2 to 8, received 1/],
      [() => packWeights(x, [2, 8], { granularity: perGroup(24) }), /blockSize: expected a power of two/],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message));
    }
  });

  it('refuses disposed weights and detached buffers', () => {
    const weights = packWeights(randomArray(32, 1), [4, 8]);
    const out = new Float32Array(4);
    structuredClone(out.buffer, { transfer: [out.buffer] });
    assert.throws(() => matmulDynamic(randomArray(8, 1), weights, { out }), /out: expected a live Float32Array/);
    weights.dispose();
    assert.equal(weights.bytes, 0);
    assert.throws(
      () => matmulDynamic(randomArray(8, 1), weights),
      /expected live PackedWeights, received disposed ones/,
    );
  });
});
