// A policy: the scheme that each quantizable node of the prepared network gets, by the name it has in the user's file.
// Nodes that it excludes stay in float32.
import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme, type Granularities, parseScheme, type Scheme, withGranularities } from '../format/scheme.js';
import { quantizableNodes } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { prepare } from '../graph/prepare.js';

/** A scheme for every quantizable node. */
export interface Policy {
  /** By node name, in the order of the graph. */
  readonly schemes: ReadonlyMap<string, Scheme>;
  /** Quantizable nodes left in float32; budgets do not count them. */
  readonly excluded: ReadonlySet<string>;
}

/** Pinned and excluded nodes. */
export interface PolicyOptions {
  /** Schemes of some nodes whatever the others get; budgets count them. */
  readonly pinned?: ReadonlyMap<string, Scheme> | undefined;
  /** Nodes to leave in float32. */
  readonly excluded?: Iterable<string> | undefined;
}

/** A scheme, or its name. Throws InvalidArgumentError. */
export function toScheme(scheme: string | Scheme): Scheme {
  return typeof scheme === 'string' ? parseScheme(scheme) : scheme;
}

/** The name of a uniform policy (`W8A8`), or the schemes of all nodes in order (`W4A4 W8A8 …`). */
export function formatPolicy(policy: Policy): string {
  const names = [...policy.schemes.values()].map(formatScheme);
  return new Set(names).size === 1 && policy.excluded.size === 0 ? (names[0] as string) : names.join(' ');
}

/** The nodes that policies of a graph give schemes to: those of the prepared network, in order. */
export function policyNodes(graph: Graph): GraphNode[] {
  return quantizableNodes(prepare(graph));
}

/** Names of the quantizable nodes, excluded ones separately. Throws GraphError for names of no quantizable node. */
export function quantizedNames(graph: Graph, options: PolicyOptions = {}): { names: string[]; excluded: Set<string> } {
  const all = policyNodes(graph).map(({ name }) => name);
  const known = new Set(all);
  const excluded = new Set(options.excluded);
  const pinned = options.pinned ?? new Map<string, Scheme>();
  for (const name of [...excluded, ...pinned.keys()]) requireQuantizable(graph, known, name);
  for (const name of pinned.keys()) {
    if (excluded.has(name)) throw new InvalidArgumentError('policy', 'pinned', 'nodes that are not excluded', name);
  }
  return { names: all.filter((name) => !excluded.has(name)), excluded };
}

function requireQuantizable(graph: Graph, names: ReadonlySet<string>, name: string): void {
  if (names.has(name)) return;
  const node = graph.nodes.find((candidate) => candidate.name === name);
  throw new GraphError(
    graph.name,
    node ? `node "${name}" (${node.operator}) cannot be quantized` : `has no node "${name}"`,
  );
}

/** The same scheme everywhere, but for pinned and excluded nodes. `scheme`: `W8A8`, … or the scheme itself. */
export function uniformPolicy(graph: Graph, scheme: string | Scheme, options: PolicyOptions = {}): Policy {
  const value = toScheme(scheme);
  const { names, excluded } = quantizedNames(graph, options);
  return { schemes: new Map(names.map((name) => [name, options.pinned?.get(name) ?? value])), excluded };
}

/** The policy with other granularities where these are passed. */
export function withPolicyGranularities(policy: Policy, granularities: Granularities): Policy {
  const schemes = [...policy.schemes].map(
    ([name, scheme]) => [name, withGranularities(scheme, granularities)] as const,
  );
  return { ...policy, schemes: new Map(schemes) };
}

/**
 * Throws, naming the node, unless the policy has a scheme for every quantizable node it does not exclude, and no other.
 */
export function checkPolicy(graph: Graph, policy: Policy): void {
  const { names } = quantizedNames(graph, { excluded: policy.excluded, pinned: policy.schemes });
  const missing = names.find((name) => !policy.schemes.has(name));
  if (missing !== undefined) throw new GraphError(graph.name, `the policy has no scheme for node "${missing}"`);
}
