// Greedy search on landscapes whose optimum is known.
import assert from 'node:assert/strict';
import type { Scheme } from '../../../../lib/format/scheme.js';
import { agentNamed } from '../../../../lib/search/agents/index.js';
import { noise } from '../../../../lib/search/climb.js';
import { additive, close, optimum, stubJudge } from '../../../support/landscape.js';

describe('greedy', () => {
  for (const objective of ['detrimental', 'robust'] as const) {
    it(`finds the ${objective} policy where damages add up`, async () => {
      for (const seed of [1, 2, 3]) {
        const { judge } = stubJudge(additive(seed));
        const { value } = await agentNamed('greedy').search(judge, { objective, evaluations: 40 });
        const best = optimum(seed, objective);
        assert.ok(close(value, best), `seed ${seed}: ${value}, optimum ${best}`);
      }
    });
  }

  it('decides several nodes a sweep where evaluations are few', async () => {
    const { judge } = stubJudge(additive(1));
    const enough = await agentNamed('greedy').search(judge, { objective: 'detrimental', evaluations: 11 });
    assert.ok(close(enough.value, optimum(1, 'detrimental'))); // a sweep and its conclusion suffice where damages add up
  });

  it('meets budgets of many bit widths, weights and activations apart', async () => {
    const choices = ['W2A2', 'W2A8', 'W3A5', 'W4A4', 'W5A3', 'W8A2', 'W8A8'];
    const measure = (bits: readonly Scheme[]) =>
      1 - bits.reduce((sum, scheme, i) => sum + (i + 1) * noise(scheme), 0) / 20;
    for (const objective of ['detrimental', 'robust'] as const) {
      for (const weighting of ['nodes', 'weights', 'macs'] as const) {
        const { judge } = stubJudge(measure, {
          bits: 5,
          tolerance: weighting === 'nodes' ? 0 : 0.01,
          choices,
          weighting,
        });
        const drawn = await agentNamed('random').search(judge, { objective, evaluations: 60 });
        const { value } = await agentNamed('greedy').search(judge, { objective, evaluations: 60 });
        assert.ok(objective === 'detrimental' ? value < drawn.value : value > drawn.value, `${objective} ${weighting}`);
      }
    }
  });
});
