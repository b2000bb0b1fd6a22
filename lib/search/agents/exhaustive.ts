// Every policy of the budget: the optimum for certain, and with it the regret of the other agents.
import { InvalidArgumentError } from '../../native/errors.js';
import { defineAgent } from '../agent.js';

export const exhaustive = defineAgent('exhaustive', 'every policy of the budget', async (environment) => {
  const { space, left } = environment;
  if (space.count > BigInt(left)) {
    throw new InvalidArgumentError('exhaustive', 'evaluations', `all ${space.count} policies of the budget`, `${left}`);
  }
  await environment.evaluate([...space.policies()].map((policy) => [...policy.bits.values()]));
});
