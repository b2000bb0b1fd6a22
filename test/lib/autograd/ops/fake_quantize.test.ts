// The straight-through gradient of fake quantization against a difference quotient, and its edges.
import assert from 'node:assert/strict';
import { fakeQuantize } from '../../../../lib/autograd/ops/fake_quantize.js';
import { Tape } from '../../../../lib/autograd/tape.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';
import { quantizeActivation, quantizeWeight } from '../../../support/product_reference.js';

const recording = () => new Tape({ memory: new Memory(), training: true, record: true });

/** Σ dy · y of the surrogate that the estimator differentiates: rounding errors, in steps, do not move. */
function surrogate(x: Float64Array, errors: Float64Array, dy: Float32Array, steps: number, symmetric: boolean): number {
  let [min, max] = [0, 0];
  for (const value of x) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const scale = (symmetric ? Math.max(-min, max) : max - min) / steps;
  return x.reduce((sum, value, i) => sum + (dy[i] as number) * (value + scale * (errors[i] as number)), 0);
}

describe('the straight-through gradient', () => {
  for (const symmetric of [false, true]) {
    it(`${symmetric ? 'of weights' : 'of activations'} is that of scaled, fixed rounding errors`, () => {
      const random = new Random(3);
      for (const [rows, n, bits] of [
        [3, 7, 2],
        [2, 40, 4],
        [1, 700, 3],
        [4, 2100, 8],
      ] as const) {
        const x = Float32Array.from({ length: rows * n }, () => random.normal());
        const dy = Float32Array.from(x, () => random.normal());
        const dx = new Float32Array(x.length);
        const tape = recording();
        const y = fakeQuantize(tape, tape.parameter(x, dx, [rows, n], 1), { rows, bits, symmetric });
        tape.backward(y, dy);
        const steps = symmetric ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
        for (let row = 0; row < rows; row++) {
          const part = (values: Float32Array) => values.slice(row * n, (row + 1) * n);
          const { scale } = symmetric ? quantizeWeight(part(x), bits) : quantizeActivation(part(x), bits);
          const own = Float64Array.from(part(x));
          const errors = own.map((value, i) => ((y.data[row * n + i] as number) - value) / scale);
          const value = (at: number, change: number) => {
            const moved = own.with(at, (own[at] as number) + change);
            return surrogate(moved, errors, part(dy), steps, symmetric);
          };
          // The surrogate is piecewise linear: any step that leaves the extremes where they are is exact.
          const step = 1e-5;
          for (let i = 0; i < n; i++) {
            const slope = (value(i, step) - value(i, -step)) / (2 * step);
            // float32 sums of n terms of about 1, and the rounding of the finite difference.
            const bound = 1e-5 * (1 + Math.sqrt(n));
            const got = dx[row * n + i] as number;
            assert.ok(Math.abs(got - slope) <= bound, `${rows}×${n} at ${bits} bits, [${row}, ${i}]: ${got}, ${slope}`);
          }
        }
      }
    });
  }

  it('goes to no element where the range ends at the included zero, and to the first of equals', () => {
    const gradientOf = (x: number[], dy: number[], bits: number, symmetric = false) => {
      const dx = new Float32Array(x.length);
      const tape = recording();
      const value = tape.parameter(Float32Array.from(x), dx, [1, x.length], 1);
      tape.backward(fakeQuantize(tape, value, { rows: 1, bits, symmetric }), Float32Array.from(dy));
      return [...dx];
    };
    // Steps of 1: errors are −.25 at 1.25; 0 and 3 are their own codes.
    assert.deepEqual(gradientOf([0, 3, 1.25, 3], [0, 0, 12, 0], 2), [0, -1, 12, 0]);
    assert.deepEqual(gradientOf([0, -3, -1.25, -3], [0, 0, 12, 0], 2), [0, -1, 12, 0]);
    assert.deepEqual(gradientOf([0, -3, 1.25, 3], [0, 0, 12, 0], 3, true), [0, 0, 12, -1]);
    assert.deepEqual(gradientOf([0, 0, 0], [1, 2, 3], 4), [1, 2, 3]);
  });

  it('is NaN, with the value, in ranges that hold NaN or infinity, and nowhere else', () => {
    const tape = recording();
    const x = tape.constant(Float32Array.of(1, Number.NaN, 1, 2, 3, Number.POSITIVE_INFINITY), [3, 2]);
    const y = fakeQuantize(tape, x, { rows: 3, bits: 4, symmetric: false });
    assert.deepEqual(
      [...y.data].map((value) => Number.isNaN(value)),
      [true, true, false, false, true, true],
    );
  });

  it('refuses bits that no code has', () => {
    const tape = recording();
    const x = tape.constant(new Float32Array(6), [3, 2]);
    for (const bits of [1, 9, Uint8Array.of(4, 9, 4)]) {
      assert.throws(() => fakeQuantize(tape, x, { rows: 3, bits, symmetric: false }), /bits/);
    }
  });
});
