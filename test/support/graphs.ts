// Small graphs by hand, and refusals of them.
import assert from 'node:assert/strict';
import { GraphError } from '../../lib/graph/errors.js';
import { Graph, type GraphNode, type GraphParts } from '../../lib/graph/graph.js';

export function node(name: string, inputs: string[], outputs: string[], operator = 'Relu'): GraphNode {
  return { name, operator, inputs, outputs, attributes: {} };
}

/** A graph from x [N, 4] to y. */
export function graphOf(nodes: GraphNode[], parts: Partial<GraphParts> = {}): Graph {
  return new Graph({
    name: 'g',
    opset: 17,
    inputs: [{ name: 'x', dtype: 'float32', dims: ['N', 4] }],
    outputs: [{ name: 'y', dtype: 'float32' }],
    nodes,
    initializers: new Map(),
    ...parts,
  });
}

/** The action throws a GraphError whose message matches. */
export function refuses(action: () => unknown, pattern: RegExp): void {
  assert.throws(action, (error: Error) => {
    assert.ok(error instanceof GraphError, String(error));
    assert.match(error.message, pattern);
    return true;
  });
}
