// How nodes fuse into the steps before them, by the answers of their operators.
import { operatorOf } from './check.js';
import type { Fusion, NodeView } from './facts.js';
import type { Graph, GraphNode } from './graph.js';
import { attributesOf, type NodeAttributes } from './operator.js';

/** Whether the node adds two values. */
export function isAddition(node: GraphNode): boolean {
  return fusionOf(node)?.as === 'addition';
}

/** Whether the node is a ReLU or a clip. */
export function isActivation(node: GraphNode): boolean {
  return fusionOf(node)?.as === 'activation';
}

/** Whether the node is a ReLU. */
export function isRectifier(node: GraphNode): boolean {
  const fusion = fusionOf(node);
  return fusion?.as === 'activation' && fusion.rectifies;
}

/** The bounds that the node clips its input to; undefined for other nodes, and where bounds are computed. */
export function boundsOf(graph: Graph, node: GraphNode): readonly [low: number, high: number] | undefined {
  const fusion = fusionOf(node);
  return fusion?.as === 'activation' ? fusion.bounds(viewOf(graph, node)) : undefined;
}

function fusionOf(node: GraphNode): Fusion<NodeAttributes> | undefined {
  const { fusion } = operatorOf(node);
  return fusion === 'none' ? undefined : fusion;
}

/** The node in the form that its operator's facts take. */
export function viewOf(graph: Graph, node: GraphNode): NodeView<NodeAttributes> {
  const name = (index: number) => node.inputs[index] ?? '';
  return {
    attributes: attributesOf(operatorOf(node), node),
    has: (index) => name(index) !== '',
    constant: (index) => graph.initializers.get(name(index)),
  };
}
