// Sensitivity: where damages add up, the first policy after one sweep is the optimum.
import assert from 'node:assert/strict';
import { agentNamed } from '../../../../lib/search/agents/index.js';
import { additive, close, optimum, stubJudge } from '../../../support/landscape.js';

describe('sensitivity', () => {
  for (const objective of ['detrimental', 'robust'] as const) {
    it(`finds the ${objective} optimum with one evaluation a node and one more`, async () => {
      for (const seed of [1, 2, 3]) {
        const { judge, asked, space } = stubJudge(additive(seed));
        const { value } = await agentNamed('sensitivity').search(judge, { objective, evaluations: 11 });
        assert.ok(close(value, optimum(seed, objective)), `seed ${seed}: ${value}`);
        assert.equal(asked.filter((policy) => space.has(policy)).length, 1); // ten probes lie outside of the budget
      }
    });
  }
});
