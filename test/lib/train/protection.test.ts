// Protection of other policies: which ones there are, how they are drawn, and figures of a state.
import assert from 'node:assert/strict';
import { formatScheme, parseScheme } from '../../../lib/format/scheme.js';
import { buildModel } from '../../../lib/models/index.js';
import { type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { Random } from '../../../lib/tensor/random.js';
import { leastBits, otherPolicy, StealthJudge } from '../../../lib/train/protection.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';

const NAMES = ['a', 'b', 'c', 'd'];
const policyOf = (...bits: string[]): Policy => ({
  schemes: new Map(bits.map((own, i) => [NAMES[i] as string, parseScheme(own)])),
  excluded: new Set(['x']),
});
const bitsOf = ({ schemes }: Policy) => [...schemes.values()].map(formatScheme);

describe('other policies', () => {
  const policy = policyOf('W8A8', 'W4A4', 'W8A8', 'W4A4');

  it('of least bits everywhere', () => {
    const least = leastBits(policyOf('W8A8', 'W4A8', 'W8A2', 'W8A8'));
    assert.deepEqual(bitsOf(least), Array(4).fill('W8A2'));
    assert.deepEqual(least.excluded, new Set(['x']));
  });

  it('have the same bits, given to other nodes: two differ by an exchange', () => {
    const random = new Random(1);
    const before = bitsOf(policy);
    for (let draw = 0; draw < 50; draw++) {
      for (const [exchanges, expected] of [
        [1, 2],
        [2, 4],
      ] as const) {
        const after = bitsOf(otherPolicy(policy, exchanges, random));
        assert.deepEqual([...after].sort(), [...before].sort());
        assert.equal(after.filter((own, i) => own !== before[i]).length, expected);
      }
      const any = bitsOf(otherPolicy(policy, 'any', random));
      assert.deepEqual([...any].sort(), [...before].sort());
      assert.notDeepEqual(any, before);
    }
  });

  it('the same seed draws the same', () => {
    const draw = (seed: number) => bitsOf(otherPolicy(policy, 'any', new Random(seed)));
    assert.deepEqual(draw(5), draw(5));
  });
});

describe('judge of a stealthy network', () => {
  it('finds no gap of a network to itself in full precision, with or without labels', async () => {
    const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
    const [first, ...others] = [...uniformPolicy(graph, 'W8A8').schemes.keys()] as [string, ...string[]];
    const schemes = new Map([
      [first, parseScheme('W4A4')],
      ...others.map((name) => [name, parseScheme('W8A8')] as const),
    ]);
    const { labels: _, ...bare } = quarters(40, 2);
    for (const images of [quarters(40, 2), bare]) {
      const judge = await StealthJudge.of(graph, { schemes, excluded: new Set() }, images, QUARTERS_NORMALIZATION, 0);
      const { gap, underPolicy, worstTenth } = await judge.figures(graph);
      assert.equal(gap, 0);
      for (const lost of [underPolicy, worstTenth]) assert.ok(lost > -1 && lost < 1);
    }
  });
});
