// Granularities: the shapes of their scales, as documented.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import {
  formatGranularity,
  type Granularity,
  perChannel,
  perGroup,
  perSample,
  perTensor,
  perToken,
  sameGranularity,
  scaleShape,
} from '../../../lib/format/granularity.js';

const SHAPE = [8, 3, 32, 64];

describe('granularities', () => {
  it('have scales of the documented shapes', () => {
    const cases: [Granularity, number[]][] = [
      [perTensor, []],
      [perSample, [8]],
      [perToken, [8, 3, 32]],
      [perChannel(1), [3]],
      [perChannel(-1), [64]],
      [perGroup(16), [8, 3, 32, 4]],
      [perGroup(48), [8, 3, 32, 2]],
    ];
    for (const [granularity, expected] of cases) {
      assert.deepEqual(scaleShape('test', SHAPE, granularity), expected, formatGranularity(granularity));
      assert.ok(Object.isFrozen(granularity));
      assert.ok(sameGranularity(granularity, { ...granularity }));
    }
    assert.deepEqual(scaleShape('test', [], perTensor), []);
    assert.ok(!sameGranularity(perGroup(16), perGroup(32)));
  });

  it('refuse what does not fit the shape', () => {
    const refuse = (shape: number[], granularity: unknown, message: RegExp) => {
      const call = () => scaleShape('test', shape, granularity as Granularity);
      assert.throws(call, (error: Error) => error instanceof InvalidArgumentError && message.test(error.message));
    };
    refuse(SHAPE, perChannel(4), /test: axis: expected an integer from -4 to 3, received 4/);
    refuse([], perToken, /perTensor for a scalar, received perToken/);
    refuse(SHAPE, { kind: 'perRow' }, /perTensor, perSample, perToken, perChannel\(axis\) or perGroup\(blockSize\)/);
    refuse(SHAPE, undefined, /received undefined/);
    assert.throws(() => perGroup(0), InvalidArgumentError);
  });
});
