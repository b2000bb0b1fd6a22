// Bayesian optimization on landscapes whose optimum is known: it finds more than drawing does.
import assert from 'node:assert/strict';
import { agentNamed } from '../../../../lib/search/agents/index.js';
import { additive, optimum, stubJudge } from '../../../support/landscape.js';

describe('bayes', () => {
  for (const objective of ['detrimental', 'robust'] as const) {
    it(`comes nearer the ${objective} optimum than random draws of as many evaluations`, async () => {
      const regret = async (agent: string, seed: number) => {
        const { judge } = stubJudge(additive(seed));
        const { value } = await agentNamed(agent).search(judge, { objective, evaluations: 60, seed });
        return Math.abs(value - optimum(seed, objective));
      };
      const sums = { bayes: 0, random: 0 };
      for (const seed of [1, 2, 3, 4]) {
        sums.bayes += await regret('bayes', seed);
        sums.random += await regret('random', seed);
      }
      assert.ok(sums.bayes < sums.random, JSON.stringify(sums));
    });
  }
});
