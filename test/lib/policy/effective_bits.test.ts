// Effective bits against sums by hand.
import assert from 'node:assert/strict';
import { parseScheme } from '../../../lib/format/scheme.js';
import { buildModel } from '../../../lib/models/index.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';

const graph = buildModel('resnet8');
const W8A8 = parseScheme('W8A8');

describe('effective bits', () => {
  it('effective bits weigh nodes, weights or multiply-accumulates, of weights, activations or both', () => {
    const mlp = buildModel('mlp');
    const policy = uniformPolicy(mlp, 'W4A6', { pinned: new Map([['hidden1', parseScheme('W8A2')]]) });
    const weights = [784 * 256, 256 * 128, 128 * 10] as const;
    const total = weights[0] + weights[1] + weights[2];
    assert.equal(effectiveBits(mlp, policy), 5);
    assert.equal(effectiveBits(mlp, policy, { counted: 'weights' }), 16 / 3);
    assert.equal(effectiveBits(mlp, policy, { counted: 'activations' }), 14 / 3);
    for (const weighting of ['weights', 'macs'] as const) {
      const expected = (8 * weights[0] + 4 * (weights[1] + weights[2])) / total;
      assert.equal(effectiveBits(mlp, policy, { weighting, counted: 'weights' }), expected);
    }
    // Where a kernel is used at many places, weights and multiply-accumulates differ: the stem has 144 and 14² · 144.
    const one = uniformPolicy(graph, 'W4A4', { pinned: new Map([['stem.conv', W8A8]]) });
    const byMacs = effectiveBits(graph, one, { weighting: 'macs' });
    assert.ok(byMacs > 4 * effectiveBits(graph, one, { weighting: 'weights' }) - 3 * 4);
  });
});
