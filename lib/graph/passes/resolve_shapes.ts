// Shape resolution: what a graph computes from the shapes of its values (Shape, Gather, Concat, … into a Reshape, as
// exporters write it) becomes constants wherever it is the same for every size of the inputs, and a Reshape to a shape
// with one open dimension gets −1 for it. Unused nodes are removed.
import { type HostTensor, integers } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { inferValues } from '../infer.js';
import { freshName, type PassResult, type Rewrite, withNodes } from './rewrite.js';

const PASS = 'resolveShapes';

/** Throws GraphError as shape inference would. */
export function resolveShapes(graph: Graph): PassResult {
  if (!graph.nodes.some((node) => operatorOf(node).fromTypes !== 'none')) return { graph, log: [] };
  const { types, known } = inferValues(graph);
  const constants = new Map<string, HostTensor>(graph.initializers);
  const log: Rewrite[] = [];
  for (const [name, value] of known) if (!graph.isOutput(name)) constants.set(name, value);
  const constant = (node: GraphNode) => node.outputs.every((name) => name === '' || constants.has(name));
  const nodes = graph.nodes.map((node): GraphNode => {
    const { openShape } = operatorOf(node);
    if (openShape === 'none' || constants.has(node.inputs[openShape] ?? '') || constant(node)) return node;
    const dims = types.get(node.outputs[0] as string)?.dims ?? [];
    const open = dims.filter((dim) => typeof dim === 'string').length;
    if (open > 1 || dims.includes(0)) return node;
    const name = freshName(graph, `${node.name}.shape`, constants);
    constants.set(name, integers(dims.map((dim) => (typeof dim === 'number' ? dim : -1))));
    log.push({ pass: PASS, node: node.name, what: `${describeNode(node)} has the constant shape [${dims}] now` });
    return { ...node, inputs: node.inputs.map((input, index) => (index === openShape ? name : input)) };
  });
  const kept = needed(graph, nodes, (node) => !constant(node));
  const gone = nodes.length - kept.length;
  if (gone === 0 && log.length === 0) return { graph, log };
  const remaining = new Set(kept.map(({ name }) => name));
  for (const node of nodes) {
    if (remaining.has(node.name)) continue;
    const what = constant(node) ? 'known from the shapes of the inputs, now an initializer' : 'unused, removed';
    log.push({ pass: PASS, node: node.name, what: `${describeNode(node)} ${what}` });
  }
  return { graph: withNodes(graph, kept, constants), log };
}

/** The nodes that outputs of the graph come from, in order. */
function needed(graph: Graph, nodes: readonly GraphNode[], computed: (node: GraphNode) => boolean): GraphNode[] {
  const expected = new Set(graph.outputs.map(({ name }) => name));
  const kept: GraphNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!computed(node) || !node.outputs.some((name) => expected.has(name))) continue;
    kept.push(node);
    for (const name of node.inputs) expected.add(name);
  }
  return kept.reverse();
}
