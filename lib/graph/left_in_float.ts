// What no policy can give bits to: nodes with constant weights that stay in float32, and their part of the work.
import { formatDims } from '../tensor/host_tensor.js';
import { isQuantizable, operatorOf } from './check.js';
import type { Graph, GraphNode } from './graph.js';
import { summarize } from './printer.js';

/** A node with constant weights that is computed in float32 under every policy. */
export interface FloatNode {
  readonly node: string;
  readonly operator: string;
  /** Multiply-accumulates for one sample, and their share of the network's: 0 to 1. */
  readonly macs: number;
  readonly share: number;
  readonly why: string;
}

/** Values that follow from initializers alone. */
function constantValues({ initializers, nodes }: Graph): Set<string> {
  const constant = new Set(initializers.keys());
  for (const { inputs, outputs } of nodes) {
    if (inputs.length > 0 && inputs.every((name) => name === '' || constant.has(name))) {
      for (const name of outputs) constant.add(name);
    }
  }
  return constant;
}

function reasonOf(graph: Graph, node: GraphNode): string {
  const { product, name } = operatorOf(node);
  if (product === 'none') return `there are no integer kernels for ${name}`;
  const weight = graph.initializers.get(node.inputs[product.weight] ?? '');
  if (weight?.dtype === 'float32') return `there are no integer kernels for its weight of ${formatDims(weight.dims)}`;
  return `its weight, input ${product.weight}, is computed when it runs`;
}

/** Every such node, in order. A product of two activations has no weights. Throws GraphError as shape inference would. */
export function leftInFloat(graph: Graph): FloatNode[] {
  const { nodes, macs: total } = summarize(graph);
  const constant = constantValues(graph);
  return graph.nodes.flatMap((node, index) => {
    const macs = nodes[index]?.macs ?? 0;
    const weighs = macs > 0 && node.inputs.some((name) => constant.has(name)) && !isQuantizable(graph, node);
    if (!weighs || node.outputs.every((name) => constant.has(name))) return [];
    return [{ node: node.name, operator: node.operator, macs, share: macs / total, why: reasonOf(graph, node) }];
  });
}
