// Every policy of the budget: the optimum for certain, and with it the regret of the other agents.
import { InvalidArgumentError } from '../../core/errors.js';
import { defineAgent } from '../agent.js';
import { schemesOf } from '../space.js';

export const exhaustive = defineAgent({
  kind: 'static',
  name: 'exhaustive',
  description: 'every policy of the budget',
  play: async (environment) => {
    const { space, left, evaluations } = environment;
    // Those that the search was started with are known already.
    if (space.count > BigInt(left + evaluations)) {
      const received = `${left + evaluations}`;
      throw new InvalidArgumentError(
        'exhaustive',
        'evaluations',
        `all ${space.count} policies of the budget`,
        received,
      );
    }
    await environment.evaluate([...space.policies()].map(schemesOf));
  },
});
