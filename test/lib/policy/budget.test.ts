// Budgets, exactly: every policy of one is counted, listed and drawn, and no other.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { formatScheme, parseScheme, type Scheme, schemeOf } from '../../../lib/format/scheme.js';
import { buildModel } from '../../../lib/models/index.js';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { formatPolicy, uniformPolicy } from '../../../lib/policy/policy.js';
import { Random } from '../../../lib/tensor/random.js';

const graph = buildModel('resnet8');
const NODES = 10;
const W8A8 = parseScheme('W8A8');
/** C(10, 5): half of the nodes at 8 bits. */
const HALVES = 252;

describe('budgets', () => {
  const choices = ['W4A4', 'W8A8'];

  it('enumerate every policy of the budget once, and no other', () => {
    const space = new BudgetSpace(graph, { bits: 6, choices });
    assert.equal(space.count, BigInt(HALVES));
    const all = [...space.policies()];
    assert.equal(new Set(all.map(formatPolicy)).size, HALVES);
    for (const policy of all) {
      assert.equal(effectiveBits(graph, policy), 6);
      assert.ok(space.has(policy));
    }
    assert.ok(!space.has(uniformPolicy(graph, 'W8A8')));
  });

  it('agree with trying every policy, for every weighting and counted bits', () => {
    const mlp = buildModel('mlp');
    const levels = ['W2A8', 'W4A4', 'W8A5', 'W7A2'];
    const free = new BudgetSpace(mlp, { bits: 5, tolerance: 3, choices: levels });
    const all = [...free.policies()];
    assert.equal(all.length, levels.length ** 3);
    for (const weighting of ['nodes', 'weights', 'macs'] as const) {
      for (const counted of ['both', 'weights', 'activations'] as const) {
        const bits = effectiveBits(mlp, all[17] as (typeof all)[0], { weighting, counted });
        const same = all.filter((policy) => effectiveBits(mlp, policy, { weighting, counted }) === bits);
        const space = new BudgetSpace(mlp, { bits, weighting, counted, choices: levels });
        assert.deepEqual([...space.policies()].map(formatPolicy), same.map(formatPolicy), `${weighting} ${counted}`);
        assert.equal(space.count, BigInt(same.length));
      }
    }
  });

  it('count pinned nodes and leave out excluded ones', () => {
    const pinned = new Map([['stem.conv', W8A8]]);
    const space = new BudgetSpace(graph, { bits: 6, choices, pinned, excluded: ['logits', 'stage1.1.1.conv'] });
    assert.equal(space.count, 35n); // three more of the other seven at 8
    for (const policy of space.policies()) {
      assert.deepEqual(policy.schemes.get('stem.conv'), W8A8);
      assert.equal(policy.schemes.size, NODES - 2);
      assert.equal(effectiveBits(graph, policy), 6);
    }
  });

  it('sample uniformly', () => {
    const mlp = buildModel('mlp');
    const space = new BudgetSpace(mlp, { bits: 6, choices: ['W4A4', 'W6A6', 'W8A8'] });
    assert.equal(space.count, 7n);
    const random = new Random(3).split('policies');
    const seen = new Map<string, number>();
    const draws = 7000;
    for (let i = 0; i < draws; i++) {
      const key = formatPolicy(space.sample(random));
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    assert.equal(seen.size, 7);
    // Chi-squared with 6 degrees of freedom: 22.5 is passed once in a thousand; the seed is fixed.
    const expected = draws / 7;
    const statistic = [...seen.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert.ok(statistic < 22.5, String(statistic));
  });

  it('count spaces that no list could hold, and sample from them', () => {
    const large = buildModel('resnet18-cifar');
    const bits = [2, 3, 4, 5, 6, 7, 8].map((b) => schemeOf(b, b));
    const space = new BudgetSpace(large, { bits: 5, choices: bits });
    assert.ok(space.count > 10n ** 15n);
    assert.equal(effectiveBits(large, space.sample(new Random(1))), 5);
    const macs = { weighting: 'macs', tolerance: 0.05 } as const;
    const byMacs = new BudgetSpace(large, { bits: 5, choices, ...macs });
    for (let i = 0; i < 20; i++) {
      assert.ok(Math.abs(effectiveBits(large, byMacs.sample(new Random(i)), macs) - 5) <= 0.05);
    }
  });

  it('say which choices are left after some were made', () => {
    const space = new BudgetSpace(graph, { bits: 6, choices });
    assert.equal(space.allowed([]).length, 2);
    const fives = [W8A8, W8A8, W8A8, W8A8, W8A8];
    assert.deepEqual(space.allowed(fives), [parseScheme('W4A4')]);
    assert.throws(() => space.allowed([...fives, W8A8]), InvalidArgumentError);
    assert.throws(() => space.allowed([parseScheme('W5A5')]), InvalidArgumentError);
  });

  it('hold the same policies whatever the order of choice, and know what is open after some were made', () => {
    const plain = new BudgetSpace(graph, { bits: 6, choices, excluded: ['logits', 'stem.conv'] });
    const order = [...plain.names].reverse();
    const reversed = new BudgetSpace(graph, { bits: 6, choices, excluded: ['logits', 'stem.conv'], order });
    assert.deepEqual(reversed.names, order);
    const names = (space: BudgetSpace) => [...space.policies()].map(formatPolicy).sort();
    assert.deepEqual(names(reversed), names(plain));
    for (const policy of reversed.policies()) {
      assert.deepEqual([...policy.schemes.keys()], plain.names); // as the graph has them
      let spent = 0;
      order.forEach((name, node) => {
        assert.ok(reversed.isOpen(node, spent));
        spent += reversed.cost(node, policy.schemes.get(name) as Scheme);
      });
      assert.ok(reversed.isOpen(order.length, spent));
      assert.ok(!reversed.isOpen(order.length, spent + 1));
    }
    assert.throws(() => new BudgetSpace(graph, { bits: 6, choices, order: order.slice(1) }), /order/);
  });

  it('that cannot be met are refused, with what could be', () => {
    const refuse = (options: { bits: number; choices: string[] }, message: RegExp) =>
      assert.throws(() => new BudgetSpace(graph, options), message);
    refuse({ bits: 6.1, choices }, /nearest 6 or 6\.4, received 6\.1 \(by nodes\)/);
    refuse({ bits: 9, choices }, /nearest 8, received 9/);
    refuse({ bits: 3, choices }, /nearest 4, received 3/);
    refuse({ bits: Number.NaN, choices }, /bits: expected a number/);
    refuse({ bits: 6, choices: [] }, /choices/);
    refuse({ bits: 6, choices: ['W1A1'] }, /W2A2/);
  });
});

describe('BudgetSpace.optimum', () => {
  it('is the best of all policies where what nodes get adds up', () => {
    const random = new Random(11);
    for (const weighting of ['nodes', 'weights'] as const) {
      const choices = ['W3A3', 'W4A8', 'W8A8'];
      const space = new BudgetSpace(graph, {
        bits: 5,
        tolerance: weighting === 'nodes' ? 0 : 0.02,
        choices,
        weighting,
      });
      const table = space.names.map(() => choices.map(() => random.normal()));
      const worth = (node: number, bits: Scheme) => table[node]?.[choices.indexOf(formatScheme(bits))] as number;
      const sum = (bits: readonly Scheme[]) => bits.reduce((total, own, node) => total + worth(node, own), 0);
      const best = space.optimum(worth) as Scheme[];
      assert.ok(space.has(space.policy(best)));
      const all = [...space.policies()].map(({ schemes: bits }) => sum([...bits.values()]));
      assert.ok(Math.abs(sum(best) - Math.max(...all)) < 1e-12); // sums of ten numbers in another order
    }
  });

  it('avoids bits of value −Infinity, and reports when none is left', () => {
    const space = new BudgetSpace(graph, { bits: 6, choices: ['W4A4', 'W8A8'] });
    const never =
      (fixed: number) =>
      (node: number, { weights }: Scheme) =>
        node < fixed && weights.format.bits === 4 ? Number.NEGATIVE_INFINITY : 0;
    const bits = space.optimum(never(5)) as Scheme[];
    assert.deepEqual(
      bits.map(({ weights }) => weights.format.bits),
      [8, 8, 8, 8, 8, 4, 4, 4, 4, 4],
    );
    assert.equal(space.optimum(never(6)), undefined);
  });
});

describe('BudgetSpace.draw', () => {
  it('draws policies as often as their weights say, given the budget', () => {
    const space = new BudgetSpace(graph, { bits: 7.6, choices: ['W4A4', 'W8A8'] }); // one node of ten at four bits
    const odds = [1, 2, 3, 4, 5, 1, 1, 1, 1, 1];
    const total = odds.reduce((sum, each) => sum + each, 0);
    const counts = new Float64Array(10);
    const random = new Random(8);
    const draws = 4000;
    for (let i = 0; i < draws; i++) {
      const bits = space.draw((node, { weights }) => (weights.format.bits === 4 ? (odds[node] as number) : 1), random);
      assert.ok(bits);
      const at = bits.findIndex(({ weights }) => weights.format.bits === 4);
      counts[at] = (counts[at] as number) + 1;
    }
    counts.forEach((count, node) => {
      const p = (odds[node] as number) / total;
      assert.ok(Math.abs(count / draws - p) < 5 * Math.sqrt((p * (1 - p)) / draws), `node ${node}: ${count}`); // 5 sigma
    });
    assert.equal(
      space.draw((_, { weights }) => (weights.format.bits === 4 ? 0 : 1), random),
      undefined,
    );
  });
});
