// Walks: strides by index arithmetic, broadcasting, and axes merged where that changes nothing.
import assert from 'node:assert/strict';
import { broadcastStrides, memoryOrder, strides, walk } from '../../../lib/autograd/strides.js';

/** Pairs of offsets that a walk [rank, dims…, first…, second…] visits, in order. */
function visits(walked: Int32Array): number[][] {
  const [rank = 0, ...rest] = walked;
  const [dims, first, second] = [0, 1, 2].map((part) => rest.slice(part * rank, (part + 1) * rank)) as [
    number[],
    number[],
    number[],
  ];
  let found = [[0, 0]];
  dims.forEach((size, axis) => {
    const steps = Array.from({ length: size }, (_, i) => i);
    found = found.flatMap(([a = 0, b = 0]) =>
      steps.map((i) => [a + i * (first[axis] ?? 0), b + i * (second[axis] ?? 0)]),
    );
  });
  return found;
}

describe('autograd: strides', () => {
  it('are those of rows, or of channels last', () => {
    assert.deepEqual(strides([2, 3, 4, 5], 'rows'), [60, 20, 5, 1]);
    assert.deepEqual(strides([2, 3, 4, 5], 'channelsLast'), [60, 1, 15, 3]);
    assert.deepEqual(memoryOrder(['n', 'c', 'h', 'w'], 'channelsLast'), ['n', 'h', 'w', 'c']);
    assert.deepEqual(memoryOrder(['n', 'c'], 'rows'), ['n', 'c']);
  });

  it('are zero along axes that broadcast', () => {
    assert.deepEqual(broadcastStrides([3, 1], 'rows', [2, 3, 4]), [0, 1, 0]);
    assert.deepEqual(broadcastStrides([], 'rows', [2, 3]), [0, 0]);
  });

  it('walk the same offsets with axes merged as without', () => {
    for (const [dims, first, second, rank] of [
      [[2, 3, 4], [12, 4, 1], [12, 4, 1], 1], // both contiguous: one axis
      [[2, 3, 4], [12, 4, 1], [0, 4, 1], 2], // the second repeats along the first axis
      [[2, 3, 4], [12, 4, 1], [1, 2, 6], 3], // transposed: nothing to merge
      [[2, 1, 4], [4, 4, 1], [4, 9, 1], 1], // an axis of one element does not count
    ] as const) {
      const walked = walk(dims, first, second);
      assert.equal(walked[0], rank);
      assert.deepEqual(visits(walked), visits(Int32Array.from([dims.length, ...dims, ...first, ...second])));
    }
  });
});
