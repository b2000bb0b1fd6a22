// Paired differences against simulated coverage and the binomial tail.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { mcnemar, pairedCounts, pairedDifference } from '../../../lib/statistics/paired.js';
import { Random } from '../../../lib/tensor/random.js';

// Published tables have four decimals.
const TABLE = 5e-5;
const near = (actual: number, wanted: number, tolerance = TABLE) =>
  assert.ok(Math.abs(actual - wanted) <= tolerance, `expected ${wanted}, received ${actual}`);

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
