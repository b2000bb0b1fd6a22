// Landscapes: every policy of a budget where they are few, with the learned one marked and taken out of the others.
import assert from 'node:assert/strict';
import type { Policy } from '../../../lib/policy/policy.js';
import { landscapeOf } from '../../../lib/reproduce/landscape.js';
import { Random } from '../../../lib/tensor/random.js';
import { additive, close, optimum, POLICIES, stubJudge } from '../../support/landscape.js';

describe('landscape of a budget', () => {
  it('has all policies, their least accuracy, and the learned one apart', async () => {
    const { judge, space } = stubJudge(additive(3));
    const [learned] = [...space.policies()] as [Policy];
    const options = { name: 'net', budget: 6, learned };
    const { landscape, least, others } = await landscapeOf(judge, options);
    assert.deepEqual([landscape.policies, landscape.exhaustive, landscape.budget], [POLICIES, true, 6]);
    assert.ok(close(least, optimum(3, 'detrimental')));
    assert.equal(others.length, POLICIES - 1);
    const counted = landscape.bins.reduce((sum, { count }) => sum + count, 0);
    assert.equal(counted, POLICIES);
    const [own] = await judge.score([learned]);
    assert.deepEqual(landscape.marks, [{ x: 100 * (own?.value as number), label: 'learned' }]);
  });

  it('of too many policies has as many drawn, the same ones each time', async () => {
    const { judge, space, asked } = stubJudge(additive(3), { bits: 5, choices: ['W4A4', 'W4A6', 'W6A6', 'W8A8'] });
    assert.ok(space.count > 4096n);
    const learned = space.sample(new Random(1));
    const first = await landscapeOf(judge, { name: 'net', budget: 5, learned });
    assert.deepEqual([first.landscape.policies, first.landscape.exhaustive], [4096, false]);
    assert.ok(asked.length <= 4097);
    assert.deepEqual(await landscapeOf(judge, { name: 'net', budget: 5, learned }), first);
  });
});
