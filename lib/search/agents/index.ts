// The agents by name.
import { InvalidArgumentError } from '../../core/errors.js';
import type { SearchAgent } from '../agent.js';
import { bayes } from './bayes.js';
import { cem } from './cem.js';
import { ddpg } from './ddpg.js';
import { exhaustive } from './exhaustive.js';
import { greedy } from './greedy.js';
import { random } from './random.js';
import { sensitivity } from './sensitivity.js';

/** The agents that come with faultline, by name. */
export const AGENTS: ReadonlyMap<string, SearchAgent> = new Map(
  [random, sensitivity, greedy, cem, bayes, ddpg, exhaustive].map((agent) => [agent.name, agent]),
);

/** Throws InvalidArgumentError when there is none of that name. */
export function agentNamed(name: string): SearchAgent {
  const agent = AGENTS.get(name);
  if (!agent) throw new InvalidArgumentError('search', 'agent', [...AGENTS.keys()].join(', '), name);
  return agent;
}
