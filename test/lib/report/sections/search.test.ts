// The section of searches: mean curves over seeds.
import assert from 'node:assert/strict';
import { meanCurve } from '../../../../lib/report/sections/search.js';

describe('section of searches', () => {
  it('a mean curve holds values until their next point', () => {
    assert.deepEqual(
      meanCurve([
        [
          [1, 10],
          [4, 2],
        ],
        [
          [1, 20],
          [2, 6],
        ],
      ]),
      [
        [1, 15],
        [2, 8],
        [4, 4],
      ],
    );
  });
});
