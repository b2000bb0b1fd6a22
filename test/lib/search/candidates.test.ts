// Static policies that complement each other.
import assert from 'node:assert/strict';
import { complementary } from '../../../lib/search/candidates.js';

describe('candidates', () => {
  it('complement each other, the most useful first', () => {
    // Three groups; policy 3 is best overall, each of the others in one group.
    const sums = [
      [0, 7, 0, 5],
      [0, 0, 4.5, 2],
      [2, 0, 0, 1],
    ].map((row) => Float64Array.from(row));
    assert.deepEqual(complementary(sums, 4, 3), [3, 2, 1]);
    const better = sums.map((row) => Float64Array.from(row.slice(0, 3)));
    assert.deepEqual(complementary(better, 3, 3), [1, 2, 0]);
    assert.deepEqual(complementary(better, 3, 9), [1, 2, 0]);
  });
});
