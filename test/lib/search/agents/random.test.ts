// Random search: other draws for another seed, the start first.
import assert from 'node:assert/strict';
import { formatPolicy } from '../../../../lib/policy/policy.js';
import { agentNamed } from '../../../../lib/search/agents/index.js';
import { Random } from '../../../../lib/tensor/random.js';
import { additive, stubJudge } from '../../../support/landscape.js';

describe('random', () => {
  it('draws differ with the seed', async () => {
    const of = async (seed: number) => {
      const { judge, asked } = stubJudge(additive(1));
      await agentNamed('random').search(judge, { objective: 'detrimental', evaluations: 40, seed });
      return asked.map(formatPolicy);
    };
    assert.notDeepEqual(await of(1), await of(2));
  });

  it('a start is evaluated first and counted; one outside of the budget is refused', async () => {
    const { judge, space, asked } = stubJudge(additive(1));
    const start = [space.sample(new Random(9))];
    await agentNamed('random').search(judge, { objective: 'detrimental', evaluations: 10, start });
    assert.equal(formatPolicy(asked[0] as (typeof start)[0]), formatPolicy(start[0] as (typeof start)[0]));
    assert.equal(asked.length, 10);
    const other = stubJudge(additive(1), { bits: 7.6, choices: ['W4A4', 'W8A8'] }).judge;
    await assert.rejects(
      agentNamed('random').search(other, { objective: 'detrimental', evaluations: 10, start }),
      /start: expected policies of the budget/,
    );
  });
});
