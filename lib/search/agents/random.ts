// Random search: policies of the budget, all equally likely, none twice. What every other agent has to beat.
import { defineAgent } from '../agent.js';
import { keyOf, type NodeSchemes } from '../space.js';

export const random = defineAgent({
  kind: 'static',
  name: 'random',
  description: 'policies of the budget drawn uniformly',
  play: async (environment, random) => {
    const seen = new Set<string>();
    const drawn: NodeSchemes[] = [];
    while (drawn.length < environment.left) {
      const candidate = environment.unseen(random, seen);
      if (!candidate) break;
      seen.add(keyOf(candidate));
      drawn.push(candidate);
    }
    await environment.evaluate(drawn);
  },
});
