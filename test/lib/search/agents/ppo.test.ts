// The agent that chooses bits node by node learns.
import assert from 'node:assert/strict';
import { gateWith } from '../../../../lib/search/agents/gate.js';
import { makeActor, PPO_DEFAULTS, PpoLearner } from '../../../../lib/search/agents/ppo.js';
import { InputPolicyRunner, withReference } from '../../../../lib/search/runner.js';
import { blobs, graph, SMALL, SMALL_GATE } from '../../../support/blobs.js';

const train = blobs(400, 1);
const validation = blobs(200, 2);

describe('ppo', () => {
  for (const rollouts of [4, 1]) {
    it(`earns more as it learns, with ${rollouts} roll-outs a sample`, async () => {
      const data = await withReference(graph, train);
      const runner = new InputPolicyRunner(graph);
      const { policy: start } = await gateWith(SMALL_GATE).search(graph, train, validation, SMALL);
      // From nothing: no candidate pulls.
      const bare = start.with({ candidates: [], gate: undefined });
      const options = {
        ...PPO_DEFAULTS,
        objective: 'detrimental',
        iterations: 24,
        inputs: 64,
        rollouts,
        seed: 1,
      } as const;
      const agent = new PpoLearner(bare.with({ actor: makeActor(bare, 16, 1) }), options);
      const rewards: number[] = [];
      for (let i = 0; i < options.iterations; i++) rewards.push(await agent.iterate(runner, data));
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const [early, late] = [mean(rewards.slice(0, 6)), mean(rewards.slice(-6))];
      assert.ok(late > early, `${early} → ${late}`);
      runner.dispose();
    });
  }
});
