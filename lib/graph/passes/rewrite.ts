// What every pass gives back: another graph, and a log of what it rewrote and why.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { Graph, GraphNode, ValueInfo } from '../graph.js';

/** A change that a pass made. */
export interface Rewrite {
  readonly pass: string;
  /** The node that is gone or changed. */
  readonly node: string;
  /** What became of it: "BatchNormalization (bn1) folded into Conv (conv1)". */
  readonly what: string;
}

/** A changed graph, and what was changed. */
export interface PassResult {
  readonly graph: Graph;
  readonly log: readonly Rewrite[];
}

/** The graph with other nodes, less the initializers and declared shapes that nothing refers to any more. */
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
