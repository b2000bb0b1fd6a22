// The table of nodes left in float32: absent where there are none, and in older results.
import assert from 'node:assert/strict';
import { leftInFloatBlocks, leftInFloatSchema } from '../../../../lib/report/sections/left_in_float.js';

describe('the table of nodes left in float32', () => {
  it('says how many there are, their share of the work, and why', () => {
    const nodes = leftInFloatSchema.parse([
      { node: 'a', operator: 'Conv', macs: 30, share: 0.3, why: 'no kernels' },
      { node: 'b', operator: 'Conv', macs: 20, share: 0.2, why: 'no kernels' },
    ]);
    const [table] = leftInFloatBlocks(nodes);
    assert.ok(table?.kind === 'table');
    assert.match(table.caption, /^2 nodes with constant weights left in float32 under every policy: 50\.00 % of/);
    assert.deepEqual(table.rows[0], ['a', 'Conv', 30, 30, 'no kernels']);
    assert.deepEqual([...leftInFloatBlocks([]), ...leftInFloatBlocks(undefined)], []);
  });
});
