// Shapes with named dimensions: what stays a name, what becomes a number, what is unknown.
import assert from 'node:assert/strict';
import {
  broadcast,
  compatible,
  type Dim,
  knownSize,
  mapDim,
  merge,
  productDim,
  quotientDim,
  sameDims,
  sizePerSample,
  UNKNOWN,
  unknownDims,
} from '../../../lib/graph/dims.js';

describe('dimensions', () => {
  it('broadcast as numpy does', () => {
    const cases: [readonly Dim[], readonly Dim[], readonly Dim[] | undefined][] = [
      [[2, 3], [3], [2, 3]],
      [
        [2, 1],
        [1, 5],
        [2, 5],
      ],
      [[], [4], [4]],
      [[0], [1], [0]],
      [[2, 3], [2], undefined],
      [[0], [2], undefined],
      [
        ['N', 1],
        ['N', 3],
        ['N', 3],
      ],
      [['N'], [1], ['N']],
      [['N'], [3], [3]],
      [['N'], ['M'], [UNKNOWN]],
    ];
    for (const [a, b, expected] of cases) {
      assert.deepEqual(broadcast(a, b), expected, `${a} with ${b}`);
      assert.deepEqual(broadcast(b, a), expected, `${b} with ${a}`);
    }
  });

  it('multiply and divide', () => {
    assert.equal(productDim([4, 8]), 32);
    assert.equal(productDim([]), 1);
    assert.equal(productDim(['N', 1]), 'N');
    assert.equal(productDim(['N', 2]), UNKNOWN);
    assert.equal(quotientDim(['N', 12], ['N', 4]), 3);
    assert.equal(quotientDim(['N', 12], [12]), 'N');
    assert.equal(quotientDim(['N', 12], [4]), UNKNOWN);
    assert.equal(quotientDim([12], [5]), undefined);
    assert.equal(quotientDim([12], ['N']), UNKNOWN);
    assert.equal(quotientDim([UNKNOWN], [UNKNOWN]), UNKNOWN); // two unknown sizes need not be the same
  });

  it('count elements, in all or for each sample', () => {
    assert.equal(knownSize([2, 3]), 6);
    assert.equal(knownSize(['N', 3]), undefined);
    assert.equal(sizePerSample(['N', 3, 4]), 12);
    assert.equal(sizePerSample([]), 1);
  });

  it('compare and merge', () => {
    assert.ok(compatible('N', 3) && compatible('N', 'M') && !compatible(2, 3));
    assert.ok(sameDims(['N', 3], ['N', 3]));
    assert.ok(!sameDims([UNKNOWN], [UNKNOWN]) && !sameDims(['N'], ['M']) && !sameDims([1], [1, 1]));
    assert.ok(!sameDims(undefined, undefined));
    assert.equal(merge(3, 'N'), 3);
    assert.equal(merge('N', 3), 3);
    assert.equal(merge(UNKNOWN, 'N'), 'N');
    assert.equal(merge('N', UNKNOWN), 'N');
    assert.equal(
      mapDim(5, (size) => size * 2),
      10,
    );
    assert.equal(
      mapDim('N', (size) => size * 2),
      UNKNOWN,
    );
    assert.deepEqual(unknownDims(2), [UNKNOWN, UNKNOWN]);
  });
});
