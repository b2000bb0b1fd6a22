// Packed weights of one network's products: packed once for each bit width and shared by every policy that asks for it.
import { type PackedConvWeights, packConvWeights } from '../native/conv2d.js';
import { type PackedWeights, packWeights, type WeightGranularity } from '../native/packed_weights.js';
import type { ConvProduct, MatmulProduct, Product } from './product.js';

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
