// Histograms: every value is counted once, in the bin that it lies in.
import assert from 'node:assert/strict';
import { histogram } from '../../../lib/statistics/histogram.js';

describe('histogram', () => {
  it('counts values in bins of equal width, ends and what lies beyond included', () => {
    assert.deepEqual(histogram([0, 1, 24.9, 25, 50, 100, 130, -1], 4, [0, 100]), [
      { from: 0, to: 25, count: 4 },
      { from: 25, to: 50, count: 1 },
      { from: 50, to: 75, count: 1 },
      { from: 75, to: 100, count: 2 },
    ]);
  });

  it('has one full bin where all values are the same', () => {
    const counts = histogram([3, 3], 2, [3, 3]).map(({ count }) => count);
    assert.deepEqual(counts, [2, 0]);
  });
});
