// Quantized weights of one network's products: made once for each way to quantize them, and shared by every policy that
// asks for it.

import { formatGranularity } from '../format/granularity.js';
import { MOST_BITS } from '../format/numeric_format.js';
import type { Operand } from '../format/scheme.js';
import { type PackedConvWeights, packConvWeights } from '../native/conv2d.js';
import { type PackedWeights, packWeights } from '../native/packed_weights.js';
import type { ConvProduct, MatmulProduct, Product } from './product.js';

type Packed = PackedConvWeights | PackedWeights;

const BYTES = 4;
// A run of one image asks for each key once a product: they are spelled once for each operand.
const keys = new WeakMap<Operand, string>();

function keyOf(operand: Operand): string {
  let key = keys.get(operand);
  if (key === undefined) {
    key = `${operand.format.name} ${formatGranularity(operand.granularity)}`;
    keys.set(operand, key);
  }
  return key;
}

/** Weights of one graph's products, each made on first use. */
export class WeightStore {
  private readonly packed = new Map<Product, Map<string, Packed>>();
  /** For weights-only schemes: the values of the codes, in the order of the node's weight. */
  private readonly floats = new Map<Product, Map<string, Float32Array>>();

  constructor(private readonly reduceRange = false) {}

  /** The reduced range is one of eight-bit weights. */
  private optionsFor({ format, granularity }: Operand) {
    const { bits } = format;
    return { bits, granularity, reduceRange: this.reduceRange && bits === MOST_BITS };
  }

  conv(product: ConvProduct, operand: Operand): PackedConvWeights {
    const { weights, shape, groups } = product;
    const make = () => packConvWeights(weights, shape, { ...this.optionsFor(operand), groups });
    return kept(this.packed, product, operand, make) as PackedConvWeights;
  }

  matmul(product: MatmulProduct, operand: Operand): PackedWeights {
    const { weights, channels } = product;
    const make = () => packWeights(weights, [channels, weights.length / channels], this.optionsFor(operand));
    return kept(this.packed, product, operand, make) as PackedWeights;
  }

  /** Values of the codes, computed by `make`. */
  dequantized(product: Product, operand: Operand, make: () => Float32Array): Float32Array {
    return kept(this.floats, product, operand, make);
  }

  /** Memory held. */
  get bytes(): number {
    let bytes = 0;
    for (const each of this.packed.values()) for (const weights of each.values()) bytes += weights.bytes;
    for (const each of this.floats.values()) for (const weights of each.values()) bytes += BYTES * weights.length;
    return bytes;
  }

  dispose(): void {
    for (const each of this.packed.values()) for (const weights of each.values()) weights.dispose();
    this.packed.clear();
    this.floats.clear();
  }
}

/** The weights of a product under one key, made where they are missing. */
function kept<Weights>(
  all: Map<Product, Map<string, Weights>>,
  product: Product,
  operand: Operand,
  make: () => Weights,
): Weights {
  let ofProduct = all.get(product);
  if (!ofProduct) {
    ofProduct = new Map();
    all.set(product, ofProduct);
  }
  const key = keyOf(operand);
  let weights = ofProduct.get(key);
  if (weights === undefined) {
    weights = make();
    ofProduct.set(key, weights);
  }
  return weights;
}
