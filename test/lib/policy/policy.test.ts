// Policies of one scheme for every node, and names of schemes.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { formatScheme, parseScheme } from '../../../lib/format/scheme.js';
import { buildModel } from '../../../lib/models/index.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { formatPolicy, uniformPolicy } from '../../../lib/policy/policy.js';

const graph = buildModel('resnet8');
const NODES = 10;
const W8A8 = parseScheme('W8A8');

describe('policies', () => {
  it('names of bits are parsed and printed', () => {
    for (let w = 2; w <= 8; w++) {
      for (let a = 2; a <= 8; a++) assert.equal(formatScheme(parseScheme(`W${w}A${a}`)), `W${w}A${a}`);
    }
    for (const bad of ['W9A8', 'W8', 'A8W8', 'W1A8', 'W8A8x', '']) {
      assert.throws(() => parseScheme(bad), InvalidArgumentError, bad);
    }
    assert.equal(formatPolicy(uniformPolicy(graph, 'W4A8')), 'W4A8');
  });

  it('a uniform policy covers every quantizable node, pinned and excluded ones apart', () => {
    const pinned = new Map([['stem.conv', W8A8]]);
    const policy = uniformPolicy(graph, 'W4A4', { pinned, excluded: ['logits'] });
    assert.equal(policy.schemes.size, NODES - 1);
    assert.deepEqual(policy.schemes.get('stem.conv'), W8A8);
    assert.ok(!policy.schemes.has('logits') && policy.excluded.has('logits'));
    assert.equal(effectiveBits(graph, policy), (8 + 8 * 4) / 9);
    const none = uniformPolicy(graph, 'W4A4', { excluded: policy.schemes.keys() });
    assert.equal(none.schemes.size, 1);
    const nothing = uniformPolicy(graph, 'W4A4', { excluded: [...policy.schemes.keys(), 'logits'] });
    assert.throws(() => effectiveBits(graph, nothing), /nodes that it quantizes, received none/);
  });
});
