// The environment of a search: evaluations are counted exactly, remembered, and end where they were allowed to.
import assert from 'node:assert/strict';
import { Environment } from '../../../lib/search/environment.js';
import { keyOf, schemesOf } from '../../../lib/search/space.js';
import { Random } from '../../../lib/tensor/random.js';
import { additive, POLICIES, stubJudge } from '../../support/landscape.js';

describe('Environment', () => {
  const make = (evaluations: number) => {
    const { judge, asked, space } = stubJudge(additive(1));
    const all = [...space.policies()].map(schemesOf);
    return { asked, all, environment: new Environment(judge, { objective: 'detrimental', evaluations }) };
  };

  it('asks for a policy once, and knows it afterwards', async () => {
    const { asked, all, environment } = make(10);
    const [a, b] = all as [(typeof all)[0], (typeof all)[0]];
    assert.equal(environment.known(a), undefined);
    const [first, again, second] = await environment.evaluate([a, a, b]);
    assert.equal(first, again);
    assert.deepEqual([environment.known(a), environment.known(b)], [first, second]);
    await environment.evaluate([b, a]);
    assert.deepEqual([asked.length, environment.evaluations, environment.left], [2, 2, 8]);
  });

  it('evaluates the first candidates that its evaluations suffice for', async () => {
    const { all, environment } = make(3);
    assert.equal((await environment.evaluate(all.slice(0, 5))).length, 3);
    assert.ok(environment.done);
    assert.deepEqual(await environment.evaluate(all.slice(5, 6)), []);
  });

  it('keeps the best, the lowest measure where harm is the objective', async () => {
    const { all, environment } = make(POLICIES);
    await environment.evaluate(all);
    assert.equal(environment.best?.value, Math.min(...all.map(additive(1))));
    assert.equal(environment.history.at(-1)?.best, environment.best?.value);
  });

  it('draws what it has not seen, to the last policy', async () => {
    const { all, environment } = make(1000);
    await environment.evaluate(all.slice(1));
    assert.equal(keyOf(environment.unseen(new Random(1)) ?? []), keyOf(all[0] ?? []));
    await environment.evaluate(all.slice(0, 1));
    assert.equal(environment.unseen(new Random(1)), undefined);
    assert.ok(environment.done);
  });

  it('refuses no evaluations', () => {
    assert.throws(() => make(0), /evaluations: expected an integer from 1/);
  });
});
