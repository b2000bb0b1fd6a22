// Rank correlation and ROC area against published examples and by counting pairs.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { auroc, ranks, spearman } from '../../../lib/statistics/ranks.js';
import { standardDeviation } from '../../../lib/statistics/summary.js';
import { Random } from '../../../lib/tensor/random.js';

// Published tables have four decimals.
const TABLE = 5e-5;
const near = (actual: number, wanted: number, tolerance = TABLE) =>
  assert.ok(Math.abs(actual - wanted) <= tolerance, `expected ${wanted}, received ${actual}`);

describe('statistics: ranks and curves', () => {
  it('equal values share their mean rank', () => {
    assert.deepEqual([...ranks([30, 10, 30, 20])], [3.5, 1, 3.5, 2]);
  });

  it('Spearman is 1 for any rising function, and as by the formula otherwise', () => {
    assert.equal(spearman([1, 2, 3, 4, 5], [1, 8, 27, 64, 1000]).value, 1);
    // 1 − 6 Σ d² / (n (n² − 1)) with d = (−1, 1, −1, 1, 0)
    const { value, interval } = spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]);
    near(value, 1 - (6 * 4) / (5 * 24), 1e-12);
    assert.ok(interval[0] < value && value < interval[1]);
    assert.ok(Number.isNaN(spearman([1, 1, 1, 1], [1, 2, 3, 4]).value));
    assert.throws(() => spearman([1, Number.NaN], [1, 2]), InvalidArgumentError);
  });

  it('AUROC and its interval equal those by counting pairs', () => {
    const random = new Random(9);
    const positive = Array.from({ length: 60 }, (_, i) => i % 3 === 0);
    // Rounded, so that there are ties.
    const scores = positive.map((p) => Math.round(8 * (random.uniform() + (p ? 0.4 : 0))));
    const of = (wanted: boolean) => scores.filter((_, i) => positive[i] === wanted);
    const psi = (a: number, b: number) => (a > b ? 1 : a === b ? 0.5 : 0);
    const average = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const v10 = of(true).map((p) => average(of(false).map((n) => psi(p, n))));
    const v01 = of(false).map((n) => average(of(true).map((p) => psi(p, n))));
    const error = Math.sqrt(standardDeviation(v10) ** 2 / v10.length + standardDeviation(v01) ** 2 / v01.length);
    const { value, interval } = auroc(scores, positive);
    near(value, average(v10), 1e-12);
    near(interval[0], average(v10) - 1.959963984540054 * error, 1e-9);
    assert.ok(Number.isNaN(auroc([1, 2], [1, 1]).value));
  });
});
