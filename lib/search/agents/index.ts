// The agents by name: a new one is a file here and a line below.
import { InvalidArgumentError } from '../../core/errors.js';
import type { InputAgent, SearchAgent, StaticAgent } from '../agent.js';
import { bayes } from './bayes.js';
import { cem } from './cem.js';
import { ddpg } from './ddpg.js';
import { exhaustive } from './exhaustive.js';
import { gate } from './gate.js';
import { greedy } from './greedy.js';
import { ppo } from './ppo.js';
import { random } from './random.js';
import { sensitivity } from './sensitivity.js';

const ALL: readonly SearchAgent[] = [random, sensitivity, greedy, cem, bayes, ddpg, exhaustive, ppo, gate];

type OfKind<Kind extends SearchAgent['kind']> = Kind extends 'static' ? StaticAgent : InputAgent;

/** The agents of one kind that come with faultline, by name. */
export function agentsOf<Kind extends SearchAgent['kind']>(kind: Kind): ReadonlyMap<string, OfKind<Kind>> {
  const own = ALL.filter((agent): agent is OfKind<Kind> => agent.kind === kind);
  return new Map(own.map((agent) => [agent.name, agent]));
}

/** Throws InvalidArgumentError when there is none of that name and kind. */
export function agentNamed(name: string, kind?: 'static'): StaticAgent;
export function agentNamed(name: string, kind: 'input'): InputAgent;
export function agentNamed(name: string, kind: SearchAgent['kind'] = 'static'): SearchAgent {
  const agents = agentsOf(kind);
  const agent = agents.get(name);
  if (!agent) throw new InvalidArgumentError('search', 'agent', [...agents.keys()].join(', '), name);
  return agent;
}
