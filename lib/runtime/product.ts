// The weights of quantizable nodes as the integer kernels read them.
import { isQuantizable } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph/graph.js';
import { biasOf, type ProductView, productView, weightMatrix } from '../graph/product.js';
import type { ConvWeightShape } from '../native/conv2d.js';

interface Operands {
  /** What is multiplied, by value name. */
  readonly activation: string;
  /** Output channels. */
  readonly channels: number;
  /** In the order of the kernels: [outChannels, kernelH, kernelW, channels / groups] or [n, k]. */
  readonly weights: Float32Array;
  /** [channels] */
  readonly bias: Float32Array | undefined;
}

export interface ConvProduct extends Operands {
  readonly kind: 'conv';
  readonly shape: ConvWeightShape;
  /** One size for each spatial dimension of the node. */
  readonly kernel: readonly number[];
  readonly groups: number;
}

export interface MatmulProduct extends Operands {
  readonly kind: 'matmul';
  /** Whether the activation comes transposed, [k, m]. */
  readonly transposed: boolean;
  /** An addend that is not a constant bias, by value name, and its factor. */
  readonly addend: { readonly name: string; readonly factor: number } | undefined;
}

export type Product = ConvProduct | MatmulProduct;

/** What a quantizable node multiplies by; undefined for other nodes. Throws GraphError where no kernel does it. */
export function productOf(graph: Graph, node: GraphNode): Product | undefined {
  if (!isQuantizable(graph, node)) return undefined;
  const view = productView(graph, node) as ProductView;
  const { kind, activation, channels, inChannels, groups, kernel, addend, beta, transposed } = view;
  const weights = weightMatrix(view, graph.initializers.get(view.weight)?.data as Float32Array);
  const bias = biasOf(graph, view);
  const added = addend !== undefined && !bias ? { name: addend, factor: beta } : undefined;
  const operands = { activation, channels, weights, bias };
  if (kind === 'matmul') return { kind, ...operands, transposed, addend: added };
  if (added) throw new GraphError(describeNode(node), 'expected a constant bias, received a computed one');
  const [kernelH, kernelW] = (kernel.length === 1 ? [1, ...kernel] : kernel) as [number, number];
  return { kind, ...operands, shape: [channels, kernelH, kernelW, inChannels], kernel, groups };
}
