// Sensitivity and swap: each node is lowered to the bottom once, alone; taking these effects as additive, the best policy
// of the budget is a knapsack, solved exactly; what is left of the evaluations goes into swaps.

import { defineAgent } from '../agent.js';
import { cheapest, climb, costliest, spreadEffects } from '../climb.js';

export const sensitivity = defineAgent({
  kind: 'static',
  name: 'sensitivity',
  description: 'the best policy if effects of single nodes added up; then swaps',
  play: async (environment, random) => {
    const { space, objective } = environment;
    const [high, low] = [costliest(environment), cheapest(environment)];
    const lowered = space.names.map((_, node) => high.map((bits, i) => (i === node ? (low[i] as typeof bits) : bits)));
    // The last evaluation is for the policy that comes out; nodes that could not be tried count as harmless.
    const fitnesses = await environment.evaluate(lowered.slice(0, environment.left - 1));
    const base = (objective === 'detrimental' ? Math.min : Math.max)(...fitnesses, ...[0].slice(fitnesses.length));
    const effects = space.names.map((_, node) => (fitnesses[node] ?? base) - base);
    const estimate = spreadEffects(effects, high, low);
    const from = space.optimum(estimate);
    if (from) await climb(environment, from, estimate, random);
  },
});
