// Values by key.
import assert from 'node:assert/strict';
import { groupBy } from '../../../lib/core/group_by.js';

describe('groups', () => {
  it('keep the order of first appearance', () => {
    assert.deepEqual(
      [...groupBy(['b1', 'a1', 'b2'], ([first = '']) => first)],
      [
        ['b', ['b1', 'b2']],
        ['a', ['a1']],
      ],
    );
  });
});
