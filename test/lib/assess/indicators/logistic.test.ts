// Logistic regression: the derivatives of its penalized likelihood vanish, and what separates all stays finite.
import assert from 'node:assert/strict';
import { fitLogistic } from '../../../../lib/assess/indicators/logistic.js';
import { Random } from '../../../../lib/tensor/random.js';

/** Newton's steps end below 1e-9; sums of 60 cases. */
const SETTLED = 1e-6;
const RIDGE = 0.1;
const PRIOR = 0.25;

describe('logistic regression', () => {
  it('no weight can be better: derivatives by plain loops are zero', () => {
    const random = new Random(3);
    const features = [0, 1].map((f) => Array.from({ length: 60 }, () => random.normal() * (f === 0 ? 1 : 50) + f));
    const positive = (features[0] as number[]).map((x) => x + random.normal() > 0);
    const { offset, slopes } = fitLogistic(features, positive);
    const standards = features.map((values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
    });
    const errors = positive.map((isPositive, i) => {
      const score = slopes.reduce((sum, slope, f) => sum + slope * (features[f]?.[i] as number), offset);
      return (isPositive ? 1 : 0) - 1 / (1 + Math.exp(-score));
    });
    // The prior is on the offset of centred features, the ridge on slopes in deviations.
    const centred = standards.reduce((sum, { mean }, f) => sum + mean * (slopes[f] as number), offset);
    assert.ok(Math.abs(errors.reduce((a, b) => a + b, 0) - PRIOR * centred) < SETTLED);
    standards.forEach(({ mean, deviation }, f) => {
      const along = errors.reduce(
        (sum, error, i) => sum + (error * ((features[f]?.[i] as number) - mean)) / deviation,
        0,
      );
      assert.ok(Math.abs(along - RIDGE * (slopes[f] as number) * deviation) < SETTLED);
    });
    assert.ok((slopes[0] as number) > 0);
  });

  it('slopes are finite where a threshold separates all, and zero for a constant feature', () => {
    const { slopes, offset } = fitLogistic(
      [
        [1, 2, 3, 4],
        [5, 5, 5, 5],
      ],
      [false, false, true, true],
    );
    const [slope = 0, constant] = slopes;
    assert.ok(Number.isFinite(slope) && slope > 1);
    assert.equal(constant, 0);
    // The cases lie even about 2.5.
    assert.ok(Math.abs(offset + 2.5 * slope) < SETTLED);
  });

  it('without features the offset is that of the share of positives', () => {
    assert.ok(Math.abs(fitLogistic([], [true, false]).offset) < SETTLED);
    assert.ok(fitLogistic([], [true, true, true, false]).offset > 0);
  });
});
