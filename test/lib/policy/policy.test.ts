// Policies of one scheme for every node, and names of schemes.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { formatScheme, parseScheme } from '../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { buildModel } from '../../../lib/models/index.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { formatPolicy, uniformPolicy } from '../../../lib/policy/policy.js';
import { floats, type HostTensor } from '../../../lib/tensor/host_tensor.js';

/** A product whose weight is behind a Cast, beside one whose input is constant: preparing folds both. */
function folded(): Graph {
  const b = new GraphBuilder('folded');
  const half = { ...floats([2, 2], [1, 2, 3, 4]), dtype: 'float16' } as HostTensor;
  const weight = b.node('cast', 'Cast', [b.initializer('half', half)], { attributes: { to: 1 } });
  const [c, w] = [b.initializer('c', floats([1, 2], [1, 1])), b.initializer('w', floats([2, 2], [5, 6, 7, 8]))];
  const constant = b.node('constant', 'MatMul', [c, w]);
  b.output(b.node('sum', 'Add', [b.node('product', 'MatMul', [b.input('x', ['N', 2]), weight]), constant]));
  return b.build();
}

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

  it('names the nodes of the prepared network: a weight behind a Cast counts, a constant product does not', () => {
    assert.deepEqual([...uniformPolicy(folded(), 'W4A4').schemes.keys()], ['product']);
    assert.throws(() => uniformPolicy(folded(), 'W4A4', { excluded: ['constant'] }), /has no|cannot be quantized/);
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
