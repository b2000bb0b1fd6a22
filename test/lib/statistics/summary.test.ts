// Quantiles and deviations by hand.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { mean, quantile, standardDeviation, variance } from '../../../lib/statistics/summary.js';

// Published tables have four decimals.
const TABLE = 5e-5;
const near = (actual: number, wanted: number, tolerance = TABLE) =>
  assert.ok(Math.abs(actual - wanted) <= tolerance, `expected ${wanted}, received ${actual}`);

describe('statistics: summaries', () => {
  it('quantiles are linear between neighbours', () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
    assert.equal(quantile([7], 0.99), 7);
    near(quantile([0, 10], 0.9), 9, 1e-12);
    assert.throws(() => quantile([1], 2), InvalidArgumentError);
  });

  it('mean and deviation are those of the definition', () => {
    assert.equal(mean([1, 2, 6]), 3);
    assert.equal(variance([1, 2, 6]), 7);
    assert.equal(standardDeviation([1, 2, 6]), Math.sqrt(7));
  });
});
