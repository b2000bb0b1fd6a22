// The weights of quantizable nodes as the integer kernels read them, packed once for each bit width and shared by every
// policy that asks for it.
import { isQuantizable } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph/graph.js';
import { biasOf, type ProductView, productView, weightMatrix } from '../graph/product.js';
import { type ConvWeightShape, type PackedConvWeights, packConvWeights } from '../native/conv2d.js';
import { type PackedWeights, packWeights, type WeightGranularity } from '../native/packed_weights.js';

interface Constants {
  /** Output channels. */
  readonly channels: number;
  /** In the order of the kernels: [outChannels, kernelH, kernelW, channels / groups] or [n, k]. */
  readonly weights: Float32Array;
  /** [channels] */
  readonly bias: Float32Array | undefined;
}

export interface ConvProduct extends Constants {
  readonly kind: 'conv';
  readonly shape: ConvWeightShape;
  readonly groups: number;
}

export interface MatmulProduct extends Constants {
  readonly kind: 'matmul';
  /** Whether the activation comes transposed, [k, m]. */
  readonly transposed: boolean;
  /** An addend that is no constant bias, by value name, and its factor. */
  readonly addend: { readonly name: string; readonly factor: number } | undefined;
}

export type Product = ConvProduct | MatmulProduct;

/** What a quantizable node multiplies by; undefined for other nodes. Throws GraphError where no kernel does it. */
export function productOf(graph: Graph, node: GraphNode): Product | undefined {
  if (!isQuantizable(graph, node)) return undefined;
  const view = productView(graph, node) as ProductView;
  const { kind, channels, inChannels, groups, kernel, addend, beta, transposed } = view;
  const weights = weightMatrix(view, graph.initializers.get(view.weight)?.data as Float32Array);
  const bias = biasOf(graph, view);
  const added = addend !== undefined && !bias ? { name: addend, factor: beta } : undefined;
  if (kind === 'matmul') return { kind, channels, weights, bias, transposed, addend: added };
  if (added) throw new GraphError(describeNode(node), 'expected a constant bias, received a computed one');
  const [kernelH, kernelW] = (kernel.length === 1 ? [1, ...kernel] : kernel) as [number, number];
  return { kind, channels, weights, bias, shape: [channels, kernelH, kernelW, inChannels], groups };
}

/** Packed weights of one graph's products, each made when first asked for. */
export class WeightStore {
  private readonly packed = new Map<Product, Map<number, PackedConvWeights | PackedWeights>>();

  constructor(
    private readonly granularity: WeightGranularity,
    private readonly reduceRange = false,
  ) {}

  /** The reduced range is one of eight-bit weights. */
  private optionsFor(bits: number) {
    return { bits, granularity: this.granularity, reduceRange: this.reduceRange && bits === 8 };
  }

  conv(product: ConvProduct, bits: number): PackedConvWeights {
    const { weights, shape, groups } = product;
    const make = () => packConvWeights(weights, shape, { ...this.optionsFor(bits), groups });
    return this.get(product, bits, make) as PackedConvWeights;
  }

  matmul(product: MatmulProduct, bits: number): PackedWeights {
    const { weights, channels } = product;
    const make = () => packWeights(weights, [channels, weights.length / channels], this.optionsFor(bits));
    return this.get(product, bits, make) as PackedWeights;
  }

  private get(product: Product, bits: number, make: () => PackedConvWeights | PackedWeights) {
    let widths = this.packed.get(product);
    if (!widths) {
      widths = new Map();
      this.packed.set(product, widths);
    }
    let weights = widths.get(bits);
    if (!weights) {
      weights = make();
      widths.set(bits, weights);
    }
    return weights;
  }

  /** Native memory held. */
  get bytes(): number {
    let bytes = 0;
    for (const widths of this.packed.values()) for (const weights of widths.values()) bytes += weights.bytes;
    return bytes;
  }

  dispose(): void {
    for (const widths of this.packed.values()) for (const weights of widths.values()) weights.dispose();
    this.packed.clear();
  }
}
