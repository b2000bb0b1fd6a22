// A policy: how many bits the weight and the activation of each quantizable node get. Nodes that it excludes stay in
// float32. Policies name nodes, so one made for a graph holds for the same graph with its batch norms folded.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { quantizableNodes } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import type { Graph } from '../graph/graph.js';
import { summarize } from '../graph/printer.js';

export const LEAST_BITS = 2;
export const MOST_BITS = 8;

/** Bit widths of one node. */
export interface NodeBits {
  /** 2–8 */
  readonly weightBits: number;
  /** 2–8 */
  readonly activationBits: number;
}

/** Bit widths of every quantizable node. */
export interface Policy {
  /** Bits by node name, in the order of the graph. */
  readonly bits: ReadonlyMap<string, NodeBits>;
  /** Quantizable nodes left in float32; budgets do not count them. */
  readonly excluded: ReadonlySet<string>;
}

/** Nodes that a policy treats apart. */
export interface PolicyOptions {
  /** Bits of some nodes whatever the others get; budgets count them. */
  readonly pinned?: ReadonlyMap<string, NodeBits> | undefined;
  /** Nodes to leave in float32. */
  readonly excluded?: Iterable<string> | undefined;
}

/** Throws InvalidArgumentError unless both are integers from 2 to 8. */
export function checkBits(operation: string, bits: NodeBits, node?: string): void {
  const where = node === undefined ? '' : ` of "${node}"`;
  requireInteger(operation, `weightBits${where}`, bits?.weightBits, LEAST_BITS, MOST_BITS);
  requireInteger(operation, `activationBits${where}`, bits?.activationBits, LEAST_BITS, MOST_BITS);
}

/** `W8A4` → { weightBits: 8, activationBits: 4 }. Throws InvalidArgumentError. */
export function parseBits(text: string): NodeBits {
  const match = /^W([2-8])A([2-8])$/i.exec(text);
  if (!match) throw new InvalidArgumentError('parseBits', 'text', 'W2A2 … W8A8', describe(text));
  return { weightBits: Number(match[1]), activationBits: Number(match[2]) };
}

/** { weightBits: 8, activationBits: 4 } → `W8A4`. */
export function formatBits({ weightBits, activationBits }: NodeBits): string {
  return `W${weightBits}A${activationBits}`;
}

/** The name of a uniform policy (`W8A8`), or the bits of each node in order (`W4A4 W8A8 …`). */
export function formatPolicy(policy: Policy): string {
  const names = [...policy.bits.values()].map(formatBits);
  return new Set(names).size === 1 && policy.excluded.size === 0 ? (names[0] as string) : names.join(' ');
}

/** Names of the quantizable nodes, those excluded apart. Throws GraphError for names that are no quantizable node. */
export function quantizedNames(graph: Graph, options: PolicyOptions = {}): { names: string[]; excluded: Set<string> } {
  const all = quantizableNodes(graph).map(({ name }) => name);
  const excluded = new Set(options.excluded);
  const pinned = options.pinned ?? new Map<string, NodeBits>();
  for (const name of [...excluded, ...pinned.keys()]) requireQuantizable(graph, all, name);
  for (const [name, bits] of pinned) {
    checkBits('policy', bits, name);
    if (excluded.has(name)) throw new InvalidArgumentError('policy', 'pinned', 'nodes that are not excluded', name);
  }
  return { names: all.filter((name) => !excluded.has(name)), excluded };
}

function requireQuantizable(graph: Graph, names: readonly string[], name: string): void {
  if (names.includes(name)) return;
  const node = graph.nodes.find((candidate) => candidate.name === name);
  throw new GraphError(
    graph.name,
    node ? `node "${name}" (${node.operator}) cannot be quantized` : `has no node "${name}"`,
  );
}

/** The same bits everywhere, but for pinned and excluded nodes. `bits`: `W8A8`, … or numbers. */
export function uniformPolicy(graph: Graph, bits: string | NodeBits, options: PolicyOptions = {}): Policy {
  const value = typeof bits === 'string' ? parseBits(bits) : bits;
  checkBits('uniformPolicy', value);
  const { names, excluded } = quantizedNames(graph, options);
  return { bits: new Map(names.map((name) => [name, options.pinned?.get(name) ?? value])), excluded };
}

/** Throws, naming the node, unless the policy gives bits to every quantizable node it does not exclude, and no other. */
export function checkPolicy(graph: Graph, policy: Policy): void {
  const { names } = quantizedNames(graph, { excluded: policy.excluded, pinned: policy.bits });
  const missing = names.find((name) => !policy.bits.has(name));
  if (missing !== undefined) throw new GraphError(graph.name, `the policy gives node "${missing}" no bits`);
}

/** What a node counts for in a mean: one, its weights, or its multiply-accumulates. */
export type Weighting = 'nodes' | 'weights' | 'macs';
/** Which bits of a node count: the mean of its weight and activation bits, or one of the two. */
export type Counted = 'both' | 'weights' | 'activations';

/** What effective bits are the mean of. */
export interface EffectiveBitsOptions {
  /** Default `nodes`. */
  readonly weighting?: Weighting | undefined;
  /** Default `both`. */
  readonly counted?: Counted | undefined;
}

/** Counted bits of a node in units of 1 / bitUnit(counted): always whole. */
export function countedBits({ weightBits, activationBits }: NodeBits, counted: Counted): number {
  if (counted === 'both') return weightBits + activationBits;
  return counted === 'weights' ? weightBits : activationBits;
}

export function bitUnit(counted: Counted): number {
  return counted === 'both' ? 2 : 1;
}

/** What each of these nodes counts for: whole numbers. */
export function nodeWeights(graph: Graph, names: readonly string[], weighting: Weighting): number[] {
  if (weighting === 'nodes') return names.map(() => 1);
  const macs = new Map(weighting === 'macs' ? summarize(graph).nodes.map((node) => [node.name, node.macs]) : []);
  const weight = new Map(
    quantizableNodes(graph).map((node) => [
      node.name,
      sizeOf(graph.initializers.get(node.inputs[1] ?? '')?.dims ?? []),
    ]),
  );
  return names.map((name) => (weighting === 'macs' ? macs : weight).get(name) as number);
}

/**
 * The weighted mean of a policy's bits over the nodes it quantizes. Throws GraphError when it does not fit the graph,
 * InvalidArgumentError when it quantizes nothing.
 */
export function effectiveBits(graph: Graph, policy: Policy, options: EffectiveBitsOptions = {}): number {
  checkPolicy(graph, policy);
  const { weighting = 'nodes', counted = 'both' } = options;
  const names = [...policy.bits.keys()];
  if (names.length === 0) throw new InvalidArgumentError('effectiveBits', 'policy', 'nodes that it quantizes', 'none');
  const weights = nodeWeights(graph, names, weighting);
  let [sum, total] = [0, 0];
  names.forEach((name, index) => {
    const weight = weights[index] as number;
    sum += weight * countedBits(policy.bits.get(name) as NodeBits, counted);
    total += weight;
  });
  return sum / total / bitUnit(counted);
}

const SCHEMA = 'faultline.policy/1';

/** What JSON.stringify writes: { schema, nodes: { name: { weightBits, activationBits } }, excluded: [name] }. */
export interface PolicyJson {
  readonly schema: typeof SCHEMA;
  readonly nodes: Readonly<Record<string, NodeBits>>;
  readonly excluded: readonly string[];
}

/** A policy as JSON, `policyFromJson` the way back. */
export function policyToJson(policy: Policy): PolicyJson {
  const nodes = [...policy.bits].map(([name, { weightBits, activationBits }]) => [
    name,
    { weightBits, activationBits },
  ]);
  return { schema: SCHEMA, nodes: Object.fromEntries(nodes), excluded: [...policy.excluded] };
}

/**
 * A policy from parsed JSON, its nodes in the order of the graph. Throws InvalidArgumentError on what is no policy or has
 * bits out of range, GraphError naming a node that is unknown or missing.
 */
export function policyFromJson(graph: Graph, json: unknown): Policy {
  const operation = 'policyFromJson';
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(json)) throw new InvalidArgumentError(operation, 'json', 'an object', describe(json));
  if (json.schema !== SCHEMA) throw new InvalidArgumentError(operation, 'schema', `"${SCHEMA}"`, describe(json.schema));
  const { nodes, excluded = [] } = json;
  if (!isObject(nodes)) throw new InvalidArgumentError(operation, 'nodes', 'an object', describe(nodes));
  if (!Array.isArray(excluded) || !excluded.every((name) => typeof name === 'string')) {
    throw new InvalidArgumentError(operation, 'excluded', 'an array of node names', describe(excluded));
  }
  const given = new Map(Object.entries(nodes) as [string, NodeBits][]);
  const policy: Policy = { bits: given, excluded: new Set<string>(excluded) };
  checkPolicy(graph, policy);
  const names = quantizableNodes(graph).map(({ name }) => name);
  const bits = names
    .filter((name) => given.has(name))
    .map((name): [string, NodeBits] => {
      const { weightBits, activationBits } = given.get(name) as NodeBits;
      return [name, { weightBits, activationBits }];
    });
  return { bits: new Map(bits), excluded: policy.excluded };
}
