// Actor and critic on a task whose best action is known.
import assert from 'node:assert/strict';
import { ActorCritic } from '../../../lib/search/actor_critic.js';
import { Random } from '../../../lib/tensor/random.js';

describe('actor and critic', () => {
  it('the actor finds the action that the returns favour in each state', () => {
    const networks = new ActorCritic({ features: 1, hidden: 16, actorRate: 3e-3, criticRate: 1e-2 }, new Random(5));
    const random = new Random(6);
    const count = 64;
    for (let step = 0; step < 600; step++) {
      const states = Float32Array.from({ length: count }, () => random.integer(2));
      const actions = Float32Array.from({ length: count }, () => random.uniform());
      const returns = actions.map((action, i) => -8 * (action - (states[i] === 1 ? 0.8 : 0.2)) ** 2);
      networks.learn(states, actions, returns);
    }
    const [low, high] = networks.act(Float32Array.of(0, 1));
    assert.ok(Math.abs((low as number) - 0.2) < 0.15 && Math.abs((high as number) - 0.8) < 0.15, `${low}, ${high}`);
  });
});
