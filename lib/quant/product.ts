// The weights of quantizable nodes as the integer kernels read them, packed once for each bit width and shared by every
// policy that asks for it.

import { sizeOf } from '../core/shape.js';
import { isQuantizable, operatorOf } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph/graph.js';
import { attributesOf } from '../graph/operator.js';
import { type ConvWeightShape, type PackedConvWeights, packConvWeights } from '../native/conv2d.js';
import { type PackedWeights, packWeights, type WeightGranularity } from '../native/packed_weights.js';
import type { HostTensor } from '../tensor/host_tensor.js';

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

/** w[rows, columns] → [columns, rows], times a factor. */
function transpose(w: Float32Array, rows: number, columns: number, factor: number): Float32Array {
  const result = new Float32Array(w.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = (w[row * columns + column] as number) * factor;
    }
  }
  return result;
}

/** [M, C, H, W] → [M, H, W, C], and [M, C, L] → [M, L, C] */
function channelsLast(weight: HostTensor): Float32Array {
  const [outChannels = 0, channels = 0, ...kernel] = weight.dims;
  const area = sizeOf(kernel);
  const data = weight.data as Float32Array;
  const result = new Float32Array(data.length);
  for (let m = 0; m < outChannels; m++) {
    const start = m * channels * area;
    const filter = data.subarray(start, start + channels * area);
    result.set(transpose(filter, channels, area, 1), start);
  }
  return result;
}

/** What a quantizable node multiplies by; undefined for other nodes. Throws GraphError where no kernel does it. */
export function productOf(graph: Graph, node: GraphNode): Product | undefined {
  const operator = operatorOf(node);
  const constant = (index: number) => graph.initializers.get(node.inputs[index] ?? '');
  const weight = operator.quantization ? constant(operator.quantization.weight) : undefined;
  if (!weight || !isQuantizable(graph, node)) return undefined;
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  const data = weight.data as Float32Array;
  if (node.operator === 'Conv') {
    const [channels = 0, groupChannels = 0, ...kernel] = weight.dims;
    const [kernelH, kernelW] = (kernel.length === 1 ? [1, ...kernel] : kernel) as [number, number];
    const bias = constant(2)?.data as Float32Array | undefined;
    if (node.inputs[2] && !bias) fail('the integer interpreter wants a constant bias');
    const groups = (attributesOf(operator, node) as unknown as { group: number }).group;
    const shape = [channels, kernelH, kernelW, groupChannels] as const;
    return { kind: 'conv', channels, weights: channelsLast(weight), bias, shape, groups };
  }
  if (node.operator === 'Gemm') {
    const { alpha, beta, transA, transB } = attributesOf(operator, node) as unknown as Record<string, number>;
    const [rows = 0, columns = 0] = weight.dims;
    const weights = transB
      ? data.map((value) => value * (alpha as number))
      : transpose(data, rows, columns, alpha as number);
    const channels = transB ? rows : columns;
    const c = constant(2);
    const isBias =
      c !== undefined && (c.dims.length === 0 || (sizeOf(c.dims) === channels && c.dims.at(-1) === channels));
    const bias = isBias
      ? Float32Array.from(
          { length: channels },
          (_, i) => Number(c.data[c.data.length === 1 ? 0 : i]) * (beta as number),
        )
      : undefined;
    const addend = node.inputs[2] && !isBias ? { name: node.inputs[2], factor: beta as number } : undefined;
    return { kind: 'matmul', channels, weights, bias, transposed: transA !== 0, addend };
  }
  const k = weight.dims.at(weight.dims.length === 1 ? -1 : -2) as number;
  const channels = data.length / k;
  const plain = { kind: 'matmul', transposed: false, addend: undefined, bias: undefined } as const;
  return { ...plain, channels, weights: transpose(data, k, channels, 1) };
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
