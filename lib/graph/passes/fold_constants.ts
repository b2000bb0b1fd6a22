// Constant folding: nodes whose inputs are all known are computed once, with the reference forward, and become
// initializers. Weights that no such node touches keep every bit.
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import { describeNode, type Graph, type GraphNode, type TensorType } from '../graph.js';
import { macsOf, outputTypes, runNode } from '../operator.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/**
 * Limits of a graph's folded values: elements and operations; the rest stays computed. They are stored in the file, the
 * reference is slow, and a small hostile file could otherwise fill the memory. What weights of products are made of has
 * a limit of its own, beyond any model's: it decides which nodes get bits.
 */
const MAX_FOLDED_ELEMENTS = 2 ** 26;
const MAX_WEIGHT_ELEMENTS = 2 ** 31;
const MAX_FOLDED_MACS = 2 ** 28;

/** Graph outputs stay computed by their nodes. Throws GraphError as shape inference would. */
export function foldConstants(graph: Graph): PassResult {
  const constants = new Map<string, HostTensor>(graph.initializers);
  const log: Rewrite[] = [];
  const weights = makersOfWeights(graph);
  const budgets = {
    weights: { elements: MAX_WEIGHT_ELEMENTS, macs: MAX_FOLDED_MACS },
    others: { elements: MAX_FOLDED_ELEMENTS, macs: MAX_FOLDED_MACS },
  };
  const nodes = graph.nodes.filter((node) => {
    if (!foldable(graph, node, constants)) return true;
    const budget: Cost = weights.has(node) ? budgets.weights : budgets.others;
    const cost = costOf(node, constants);
    if (cost.elements > budget.elements || cost.macs > budget.macs) return true;
    budget.elements -= cost.elements;
    budget.macs -= cost.macs;
    const inputs = node.inputs.map((name) => constants.get(name));
    runNode(operatorOf(node), node, inputs).forEach((value, index) => {
      const name = node.outputs[index];
      if (name) constants.set(name, value);
    });
    log.push({
      pass: 'foldConstants',
      node: node.name,
      what: `${describeNode(node)} replaced by an initializer`,
    });
    return false;
  });
  return { graph: log.length > 0 ? withNodes(graph, nodes, constants) : graph, log };
}

/** The nodes that weights of products are computed by, where no input of the graph reaches them. */
function makersOfWeights(graph: Graph): Set<GraphNode> {
  const constant = new Set(graph.initializers.keys());
  for (const node of graph.nodes)
    if (foldable(graph, node, constant)) for (const name of node.outputs) constant.add(name);
  const read = new Set<string>();
  for (const node of graph.nodes) {
    const { product } = operatorOf(node);
    const weight = product === 'none' ? '' : (node.inputs[product.weight] ?? '');
    if (constant.has(weight)) read.add(weight);
  }
  const makers = new Set<GraphNode>();
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => read.has(name))) continue;
    makers.add(node);
    for (const name of node.inputs) read.add(name);
  }
  return makers;
}

function foldable(graph: Graph, node: GraphNode, constants: { has(name: string): boolean }): boolean {
  if (operatorOf(node).unfoldable !== 'none' || node.outputs.some((name) => graph.isOutput(name))) return false;
  return node.inputs.every((name) => name === '' || constants.has(name));
}

interface Cost {
  elements: number;
  macs: number;
}

function costOf(node: GraphNode, constants: ReadonlyMap<string, HostTensor>): Cost {
  const operator = operatorOf(node);
  const inputs = node.inputs.map((name) => constants.get(name));
  const outputs = outputTypes(operator, node, inputs, (index) => inputs[index]);
  const elements = outputs.reduce((sum, { dims }) => sum + sizeOf(dims.map(Number)), 0);
  return { elements, macs: macsOf(operator, node, inputs, outputs[0] as TensorType) };
}
