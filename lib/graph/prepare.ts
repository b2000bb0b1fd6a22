// Prepares a network to run: it is simplified once, and every caller gets the same object. Nodes keep the names of the
// user's file, so policies and reports of either graph fit both.
import type { Graph } from './graph.js';
import { simplify } from './passes/index.js';

const prepared = new WeakMap<Graph, Graph>();

/**
 * The graph in float32, its shapes resolved, its constants and batch norms folded. A prepared graph is
 * returned unchanged. Throws GraphError as shape inference would.
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
