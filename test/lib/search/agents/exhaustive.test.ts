// Exhaustive search finds the optimum, and refuses what it cannot list.
import assert from 'node:assert/strict';
import { agentNamed } from '../../../../lib/search/agents/index.js';
import { Random } from '../../../../lib/tensor/random.js';
import { additive, close, optimum, POLICIES, stubJudge } from '../../../support/landscape.js';

describe('exhaustive', () => {
  for (const objective of ['detrimental', 'robust'] as const) {
    it(`finds the ${objective} policy where damages add up`, async () => {
      for (const seed of [1, 2, 3]) {
        const { judge } = stubJudge(additive(seed));
        const { value } = await agentNamed('exhaustive').search(judge, { objective, evaluations: POLICIES });
        const best = optimum(seed, objective);
        assert.ok(close(value, best), `seed ${seed}: ${value}, optimum ${best}`);
      }
    });
  }

  it('refuses spaces larger than its evaluations, before any', async () => {
    const { judge, asked } = stubJudge(additive(1));
    await assert.rejects(
      agentNamed('exhaustive').search(judge, { objective: 'detrimental', evaluations: 251 }),
      /all 252 policies/,
    );
    assert.equal(asked.length, 0);
  });

  it('what it was started with is not evaluated again', async () => {
    const { judge, space } = stubJudge(additive(1));
    const start = [space.sample(new Random(9))];
    const { evaluations } = await agentNamed('exhaustive').search(judge, {
      objective: 'detrimental',
      evaluations: POLICIES,
      start,
    });
    assert.equal(evaluations, POLICIES);
  });
});
