// The agents by name.
import { InvalidArgumentError } from '../../core/errors.js';
import type { InputAgent, SearchAgent, StaticAgent } from '../agent.js';
import * as all from './all.js';

/** In the order of their names. */
const ALL: readonly SearchAgent[] = Object.values(all);

type OfKind<Kind extends SearchAgent['kind']> = Kind extends 'static' ? StaticAgent : InputAgent;

/** The agents of one kind that come with faultline, by name. */
export function agentsOf<Kind extends SearchAgent['kind']>(kind: Kind): ReadonlyMap<string, OfKind<Kind>> {
  const ofKind = ALL.filter((agent): agent is OfKind<Kind> => agent.kind === kind);
  return new Map(ofKind.map((agent) => [agent.name, agent]));
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
