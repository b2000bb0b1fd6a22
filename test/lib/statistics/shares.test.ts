// Shares and their intervals against published tables.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { normalCdf, normalHalfWidth, wilsonInterval } from '../../../lib/statistics/shares.js';

// Published tables have four decimals.
const TABLE = 5e-5;
const near = (actual: number, wanted: number, tolerance = TABLE) =>
  assert.ok(Math.abs(actual - wanted) <= tolerance, `expected ${wanted}, received ${actual}`);

describe('statistics: normal distribution', () => {
  it('has the textbook values', () => {
    near(normalCdf(0), 0.5, 0);
    near(normalCdf(1), 0.8413447460685429, 1e-15);
    near(normalCdf(-3), 0.0013498980316300946, 1e-15);
    assert.deepEqual([normalCdf(40), normalCdf(-40)], [1, 0]);
    near(normalHalfWidth(0.95), 1.959963984540054, 1e-11);
    near(normalHalfWidth(0.99), 2.5758293035489004, 1e-11);
  });
});

describe('statistics: Wilson interval', () => {
  // Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3.
  for (const [successes, trials, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    it(`of ${successes} in ${trials} is that of the literature`, () => {
      const interval = wilsonInterval(successes, trials);
      near(interval[0], low);
      near(interval[1], high);
    });
  }

  it('is symmetric, and exact at the ends', () => {
    const [low, high] = wilsonInterval(20, 20);
    near(low, 1 - 0.1611);
    assert.equal(high, 1);
  });

  it('refuses impossible counts', () => {
    assert.throws(() => wilsonInterval(3, 2), InvalidArgumentError);
    assert.throws(() => wilsonInterval(0, 0), InvalidArgumentError);
    assert.throws(() => wilsonInterval(1, 2, 1), InvalidArgumentError);
  });
});
