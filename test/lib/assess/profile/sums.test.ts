// Errors of outputs: every figure against its definition in plain loops.
import assert from 'node:assert/strict';
import { OutputErrors } from '../../../../lib/assess/profile/sums.js';
import { Random } from '../../../../lib/tensor/random.js';

const CHANNELS = 3;
const OUTPUTS = 8;
/** Float64 sums in another order. */
const SUMS = 1e-12;

const random = new Random(1);
const draw = (around: Float32Array, size: number) => around.map((value) => value + size * random.normal());
const exact = draw(new Float32Array(OUTPUTS * CHANNELS), 1);
const local = draw(exact, 0.1);
const quantized = draw(local, 0.05);

/** Of the outputs that `pick` keeps. */
function reference(pick: (i: number) => boolean) {
  const at = [...exact.keys()].filter(pick);
  const sum = (of: (y: number, q: number, x: number) => number) =>
    at.reduce((all, i) => all + of(exact[i] as number, quantized[i] as number, local[i] as number), 0);
  const error = sum((y, q) => (q - y) ** 2);
  return {
    sqnrDb: 10 * Math.log10(sum((y) => y * y) / error),
    mse: error / at.length,
    cosine: sum((y, q) => y * q) / Math.sqrt(sum((y) => y * y) * sum((_, q) => q * q)),
    maxAbsError: Math.max(...at.map((i) => Math.abs((quantized[i] as number) - (exact[i] as number)))),
    meanError: sum((y, q) => q - y) / at.length,
    propagatedMse: sum((y, _, x) => (x - y) ** 2) / at.length,
    localMse: sum((_, q, x) => (q - x) ** 2) / at.length,
    propagatedShare: sum((y, q, x) => (x - y) * (q - y)) / error,
  };
}

describe('errors of outputs', () => {
  const errors = new OutputErrors(CHANNELS);
  const half = (OUTPUTS / 2) * CHANNELS;
  errors.add(exact.subarray(0, half), quantized.subarray(0, half), local.subarray(0, half));
  errors.add(exact.subarray(half), quantized.subarray(half), local.subarray(half));

  it('of all outputs and of each channel', () => {
    const pairs = [
      [errors.total(), reference(() => true)],
      ...errors.byChannel().map((own, c) => [own, reference((i) => i % CHANNELS === c)] as const),
    ] as const;
    assert.equal(pairs.length, 1 + CHANNELS);
    for (const [found, expected] of pairs) {
      for (const [name, value] of Object.entries(expected)) {
        const actual = found[name as keyof typeof expected];
        assert.ok(
          Math.abs(actual - value) <= SUMS * Math.max(1, Math.abs(value)),
          `${name}: ${actual}, expected ${value}`,
        );
      }
    }
  });

  it('without error the ratio is infinite, and outputs of zeros lie along each other', () => {
    const none = new OutputErrors(1);
    none.add(new Float32Array(2), new Float32Array(2), new Float32Array(2));
    const { sqnrDb, cosine, propagatedShare } = none.total();
    assert.deepEqual([sqnrDb, cosine, propagatedShare], [Number.POSITIVE_INFINITY, 1, 0]);
  });
});
