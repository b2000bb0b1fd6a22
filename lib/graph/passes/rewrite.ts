// The result of a pass: another graph, and a log of its changes.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { Graph, GraphNode, ValueInfo } from '../graph.js';

/** A change that a pass made. */
export interface Rewrite {
  readonly pass: string;
  /** The removed or changed node. */
  readonly node: string;
  /** The change: "BatchNormalization (bn1) folded into Conv (conv1)". */
  readonly what: string;
}

/** A changed graph and its changes. */
export interface PassResult {
  readonly graph: Graph;
  readonly log: readonly Rewrite[];
}

/** The graph with other nodes, less the initializers and declared shapes that are no longer used. */
export function withNodes(graph: Graph, nodes: readonly GraphNode[], weights: ReadonlyMap<string, HostTensor>): Graph {
  const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)]);
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const kept = (entry: readonly [string, HostTensor | ValueInfo]) => used.has(entry[0]);
  return graph.with({
    nodes,
    initializers: new Map([...weights].filter(kept)),
    values: new Map([...graph.values].filter(([name]) => made.has(name))),
  });
}

/** A name for a new constant: the base, with underscores where it is taken. */
export function freshName(graph: Graph, base: string, constants: ReadonlyMap<string, HostTensor>): string {
  let name = base;
  while (constants.has(name) || graph.producer(name) || graph.inputs.some((value) => value.name === name)) name += '_';
  return name;
}
