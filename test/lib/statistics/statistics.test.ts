// Statistics against published examples, brute force and simulated coverage.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { mcnemar, pairedCounts, pairedDifference } from '../../../lib/statistics/paired.js';
import { auroc, ranks, spearman } from '../../../lib/statistics/ranks.js';
import { normalCdf, normalHalfWidth, wilsonInterval } from '../../../lib/statistics/shares.js';
import { quantile, standardDeviation } from '../../../lib/statistics/summary.js';
import { Random } from '../../../lib/tensor/random.js';

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

describe('statistics: paired difference', () => {
  it('counts agreements', () => {
    const counts = pairedCounts([1, 1, 0, 0, 1], [true, false, true, false, true]);
    assert.deepEqual(counts, { both: 2, onlyFirst: 1, onlySecond: 1, neither: 1 });
    assert.throws(() => pairedCounts([1], [1, 0]), InvalidArgumentError);
  });

  it('is antisymmetric', () => {
    const counts = { both: 36, onlyFirst: 12, onlySecond: 2, neither: 5 };
    const one = pairedDifference(counts);
    const other = pairedDifference({ ...counts, onlyFirst: 2, onlySecond: 12 });
    near(one.difference, -other.difference, 1e-15);
    near(one.interval[0], -other.interval[1], 1e-15);
    near(one.interval[1], -other.interval[0], 1e-15);
  });

  it('covers the truth about as often as it says', () => {
    const random = new Random(5);
    const [rounds, samples, both, onlyFirst, onlySecond] = [2000, 200, 0.7, 0.15, 0.05];
    let covered = 0;
    for (let round = 0; round < rounds; round++) {
      const counts = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
      for (let i = 0; i < samples; i++) {
        const u = random.uniform();
        if (u < both) counts.both += 1;
        else if (u < both + onlyFirst) counts.onlyFirst += 1;
        else if (u < both + onlyFirst + onlySecond) counts.onlySecond += 1;
        else counts.neither += 1;
      }
      const [low, high] = pairedDifference(counts).interval;
      if (low <= 0.1 && 0.1 <= high) covered += 1;
    }
    // Four standard errors of a share of .95 over 2,000 rounds: .0195; the correction makes the interval a little wide.
    assert.ok(covered / rounds > 0.93 && covered / rounds < 0.985, String(covered / rounds));
  });

  it('is narrower than independent samples would allow, when both err on the same ones', () => {
    const { interval } = pairedDifference({ both: 900, onlyFirst: 20, onlySecond: 0, neither: 80 });
    assert.ok(interval[0] > 0 && interval[1] - interval[0] < 0.025);
  });

  it('McNemar by the binomial tail', () => {
    // 2 · (1 + 14 + 91) / 2^14
    near(mcnemar(12, 2), 212 / 16384, 1e-15);
    assert.equal(mcnemar(0, 0), 1);
    assert.equal(mcnemar(7, 7), 1);
    assert.ok(mcnemar(3000, 2000) < 1e-40 && mcnemar(3000, 2000) > 0);
  });
});

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

  it('quantiles are linear between neighbours', () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
    assert.equal(quantile([7], 0.99), 7);
    near(quantile([0, 10], 0.9), 9, 1e-12);
    assert.throws(() => quantile([1], 2), InvalidArgumentError);
  });
});
