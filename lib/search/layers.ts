// What an agent may know of a layer before anything was evaluated: the features of HAQ (Wang et al., "HAQ: Hardware-Aware
// Automated Quantization with Mixed Precision", 2019, section 3.1) that do not depend on the episode.
import { sizePerSample } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type Graph } from '../graph/graph.js';
import { inferShapes } from '../graph/infer.js';
import { productView } from '../graph/product.js';

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

/** Throws GraphError when the graph has no such node, or it multiplies by no weight. */
export function describeLayers(graph: Graph, names: readonly string[]): Layer[] {
  const types = inferShapes(graph);
  return names.map((name) => {
    const node = graph.node(name);
    const product = productView(graph, node);
    if (!product) throw new GraphError(describeNode(node), 'expected a product with a constant weight');
    const { groups, inChannels, channels, depth, kernel, strides } = product;
    return {
      name,
      operator: node.operator,
      depthwise: groups > 1 && inChannels === 1,
      inChannels: inChannels * groups,
      outChannels: channels,
      stride: strides[0] ?? 1,
      kernel: product.kind === 'conv' ? (kernel[0] ?? 1) : 1,
      weights: channels * depth,
      inputSize: sizePerSample(types.get(product.activation)?.dims ?? []),
    };
  });
}
