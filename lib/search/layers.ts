// What an agent may know of a layer before anything was evaluated: the features of HAQ (Wang et al., "HAQ: Hardware-Aware
// Automated Quantization with Mixed Precision", 2019, section 3.1) that do not depend on the episode.
import { sizePerSample } from '../graph/dims.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { inferShapes } from '../graph/infer.js';

/** What agents know of a node. */
export interface Layer {
  readonly name: string;
  readonly operator: string;
  /** One channel in, one out, in every group. */
  readonly depthwise: boolean;
  /** Channels, or features of a matrix product. */
  readonly inChannels: number;
  readonly outChannels: number;
  /** The first axis'; 1 for matrix products, as is the kernel. */
  readonly stride: number;
  readonly kernel: number;
  readonly weights: number;
  /** Elements of the input for one sample. */
  readonly inputSize: number;
}

/** Throws GraphError when the graph has no such node. */
export function describeLayers(graph: Graph, names: readonly string[]): Layer[] {
  const types = inferShapes(graph);
  return names.map((name) => {
    const node = graph.node(name);
    const dims = (types.get(node.inputs[1] ?? '')?.dims ?? []) as readonly number[];
    const shared = { name, operator: node.operator, weights: dims.reduce((product, dim) => product * dim, 1) };
    const inputSize = sizePerSample(types.get(node.inputs[0] ?? '')?.dims ?? []);
    return { ...shared, inputSize, ...(node.operator === 'Conv' ? window(node, dims) : product(node, dims)) };
  });
}

function window(node: GraphNode, [out = 1, inGroup = 1, ...kernel]: readonly number[]) {
  const group = (node.attributes.group as number | undefined) ?? 1;
  return {
    depthwise: group > 1 && inGroup === 1,
    inChannels: inGroup * group,
    outChannels: out,
    stride: (node.attributes.strides as readonly number[] | undefined)?.[0] ?? 1,
    kernel: kernel[0] ?? 1,
  };
}

function product(node: GraphNode, dims: readonly number[]) {
  const [rows = 1, columns = 1] = dims.slice(-2);
  const [inChannels, outChannels] = node.attributes.transB === 1 ? [columns, rows] : [rows, columns];
  return { depthwise: false, inChannels, outChannels, stride: 1, kernel: 1 };
}
