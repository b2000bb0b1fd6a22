// The space of activation bits: an option is open exactly where some policy of the budget continues so.
import assert from 'node:assert/strict';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { integer } from '../../../lib/runtime/backends/integer.js';
import { compile } from '../../../lib/runtime/program.js';
import { ActivationSpace } from '../../../lib/search/space.js';
import { budget, graph } from '../../support/blobs.js';

const program = compile(graph, integer());
const space = new ActivationSpace(graph, program.products, budget);

describe('ActivationSpace', () => {
  it('opens an option exactly where some policy of the budget continues so', () => {
    const all = [...space.all()];
    assert.equal(BigInt(all.length), space.count);
    for (const own of all) {
      let spent = 0;
      own.forEach((_, node) => {
        const begun = all.filter((other) => own.subarray(0, node).every((option, i) => other[i] === option));
        const next = new Set(begun.map((other) => other[node] as number));
        const mask = [...next].reduce((bits, option) => bits | (1 << option), 0);
        assert.equal(space.open(node, spent), mask);
        spent += space.cost(node, own[node] as number);
      });
    }
  });

  it('gives static policies back as they were', () => {
    for (const own of space.all()) {
      const decoded = space.decode(own);
      assert.equal(effectiveBits(graph, decoded, { counted: 'activations' }), budget.bits);
      assert.deepEqual(space.encode(decoded), own);
    }
  });

  it('refuses weights that differ, and budgets that no policy has', () => {
    const make = (more: object) => new ActivationSpace(graph, program.products, { ...budget, ...more });
    assert.throws(() => make({ choices: ['W8A4', 'W4A8'], bits: 16 / 3 }), /the same weight bits/);
    assert.throws(() => make({ bits: 7.9 }), /nearest/);
  });
});
