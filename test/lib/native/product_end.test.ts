// The emulation of vpmaddubsw processors from TypeScript: against exact integers, and what reduceRange does to it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { matmulDynamic, matmulDynamicAccumulators } from '../../../lib/native/matmul.js';
import { packQuantizedWeights, packWeights } from '../../../lib/native/packed_weights.js';

/** Codes of one row at 8 bits, from the definition, with its zero point. */
function quantizeRow(row: Float32Array): { codes: number[]; zeroPoint: number } {
  const min = Math.min(0, ...row);
  const max = Math.max(0, ...row);
  const scale = Math.fround(Math.fround(max - min) / 255) || 1;
  const even = (v: number) => (v - Math.floor(v) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
  const zeroPoint = even(Math.min(255, Math.max(0, Math.fround(-min / scale))));
  return {
    codes: Array.from(row, (v) => Math.min(255, Math.max(0, even(Math.fround(v / scale)) + zeroPoint))),
    zeroPoint,
  };
}

/** acc[m, n] and events[n]: pairs along k, saturated to 16 bits, minus zeroPoint · Σ w. */
function reference(x: Float32Array, codes: Int8Array, m: number, n: number, k: number) {
  const acc = new Int32Array(m * n);
  const events = new Float64Array(n);
  for (let row = 0; row < m; row++) {
    const { codes: q, zeroPoint } = quantizeRow(x.subarray(row * k, (row + 1) * k));
    for (let channel = 0; channel < n; channel++) {
      let sum = 0;
      for (let i = 0; i < k; i += 2) {
        const w = (j: number) => (j < k ? (codes[channel * k + j] as number) : 0);
        const exact = (q[i] as number) * w(i) + (q[i + 1] ?? 0) * w(i + 1);
        const kept = Math.min(32767, Math.max(-32768, exact));
        if (kept !== exact) (events[channel] as number)++;
        sum += kept - zeroPoint * (w(i) + w(i + 1));
      }
      acc[row * n + channel] = sum;
    }
  }
  return { acc, events };
}

describe('saturating16', () => {
  it('has the accumulators and the events of the definition', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 150 }),
        fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
        (m, n, k, stream) => {
          const next = () => stream.next().value as number;
          // Mostly near the ends of both ranges, so that many pairs saturate.
          const x = Float32Array.from({ length: m * k }, () => Math.cbrt(next()) + 0.3);
          const codes = Int8Array.from({ length: n * k }, () => Math.round(127.5 * Math.cbrt(next()) - 0.5));
          const weights = packQuantizedWeights(codes, [n, k]);
          const saturations = new Float64Array(n);
          const got = matmulDynamicAccumulators(x, weights, { arithmetic: 'saturating16', saturations });
          const wanted = reference(x, codes, m, n, k);
          assert.deepEqual(got, wanted.acc);
          assert.deepEqual(saturations, wanted.events);
          weights.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('loses half of a product of largest codes, and reduceRange none of it', () => {
    const [m, n, k] = [4, 3, 64];
    const x = new Float32Array(m * k).fill(1);
    const w = new Float32Array(n * k).fill(0.5);
    const saturations = new Float64Array(n);
    const full = packWeights(w, [n, k]);
    const damaged = matmulDynamicAccumulators(x, full, { arithmetic: 'saturating16', saturations });
    assert.deepEqual(damaged, new Int32Array(m * n).fill((k / 2) * 32767));
    assert.deepEqual(saturations, new Float64Array(n).fill((m * k) / 2));

    const reduced = packWeights(w, [n, k], { reduceRange: true });
    assert.deepEqual(reduced.codes(), new Int8Array(n * k).fill(64));
    assert.deepEqual(reduced.scales(), new Float32Array(n).fill(0.5 / 64));
    const none = new Float64Array(n);
    const emulated = matmulDynamic(x, reduced, { arithmetic: 'saturating16', saturations: none });
    assert.deepEqual(emulated, matmulDynamic(x, reduced));
    assert.deepEqual(none, new Float64Array(n));
  });

  it('adds to the counters it is given', () => {
    const weights = packQuantizedWeights(new Int8Array(8).fill(127), [1, 8]);
    const saturations = Float64Array.of(10);
    const x = new Float32Array(8).fill(1);
    matmulDynamic(x, weights, { arithmetic: 'saturating16', saturations });
    matmulDynamic(x, weights, { arithmetic: 'saturating16', saturations });
    assert.deepEqual(saturations, Float64Array.of(18));
  });

  it('refuses an unknown arithmetic, counters without emulation, short counters, reduceRange below 8 bits', () => {
    const w = new Float32Array(16).fill(1);
    const weights = packWeights(w, [2, 8]);
    const x = new Float32Array(8);
    const refusals: [() => unknown, RegExp][] = [
      [
        () => matmulDynamic(x, weights, { arithmetic: 'sat' as never }),
        /arithmetic: expected "exact" or "saturating16"/,
      ],
      [() => matmulDynamic(x, weights, { saturations: new Float64Array(2) }), /saturations: expected arithmetic/],
      [
        () => matmulDynamic(x, weights, { arithmetic: 'saturating16', saturations: new Float64Array(1) }),
        /saturations: expected at least 2 elements, received 1/,
      ],
      [() => packWeights(w, [2, 8], { bits: 7, reduceRange: true }), /reduceRange: expected bits: 8, received bits: 7/],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message));
    }
  });
});
