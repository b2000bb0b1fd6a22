// Constant folding: nodes whose inputs are all known are computed once, with the reference forward, and become
// initializers. Weights that no such node touches keep every bit.
import type { HostTensor } from '../../tensor/host_tensor.js';
import { sizeOf } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { attributesOf, outputTypes, runNode } from '../operator.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/** Larger results stay computed: a folded value is stored in the file, and the reference is slow. */
const MAX_FOLDED_ELEMENTS = 2 ** 24;
const MAX_FOLDED_MACS = 2 ** 28;

/**
 * Not folded: Dropout may draw random numbers, and the sizes of a pool's input and output do not bound its cost.
 * No exporter leaves either between constants.
 */
const NOT_FOLDED = new Set(['Dropout', 'MaxPool', 'AveragePool']);

/** Graph outputs stay computed by their nodes. Throws GraphError as shape inference would. */
export function foldConstants(graph: Graph): PassResult {
  const constants = new Map<string, HostTensor>(graph.initializers);
  const log: Rewrite[] = [];
  const nodes = graph.nodes.filter((node) => {
    if (!foldable(graph, node, constants)) return true;
    const inputs = node.inputs.map((name) => constants.get(name));
    runNode(operatorOf(node), node, inputs).forEach((value, index) => {
      const name = node.outputs[index];
      if (name) constants.set(name, value);
    });
    log.push({
      pass: 'foldConstants',
      node: node.name,
      what: `${describeNode(node)} computed once, now an initializer`,
    });
    return false;
  });
  return { graph: log.length > 0 ? withNodes(graph, nodes, constants) : graph, log };
}

function foldable(graph: Graph, node: GraphNode, constants: ReadonlyMap<string, HostTensor>): boolean {
  if (node.outputs.some((name) => graph.isOutput(name))) return false;
  if (!node.inputs.every((name) => name === '' || constants.has(name))) return false;
  if (NOT_FOLDED.has(node.operator)) return false;
  const operator = operatorOf(node);
  const inputs = node.inputs.map((name) => constants.get(name));
  const outputs = outputTypes(operator, node, inputs, (index) => inputs[index]);
  const macs = operator.macs?.(attributesOf(operator, node), inputs, outputs[0] as never) ?? 0;
  return macs <= MAX_FOLDED_MACS && outputs.every(({ dims }) => sizeOf(dims.map(Number)) <= MAX_FOLDED_ELEMENTS);
}
