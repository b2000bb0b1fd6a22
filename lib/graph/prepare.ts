// A network made ready to run: simplified once, and the same object for everyone who asks. Nodes keep the names that the
// user's file has, so policies and reports made of either graph fit both.
import type { Graph } from './graph.js';
import { simplify } from './passes/index.js';

const prepared = new WeakMap<Graph, Graph>();

/**
 * The graph in float32, its shapes resolved, its constants and batch norms folded. A graph that was prepared before is
 * returned as it is. Throws GraphError as shape inference would.
 */
export function prepare(graph: Graph): Graph {
  let result = prepared.get(graph);
  if (!result) {
    result = simplify(graph).graph;
    prepared.set(graph, result);
    prepared.set(result, result);
  }
  return result;
}
