// Quantized weights of one network's products: made once for each way to quantize them, and shared by every policy that
// asks for it.

import { formatGranularity } from '../format/granularity.js';
import { LEAST_BITS, MOST_BITS } from '../format/numeric_format.js';
import type { Operand } from '../format/scheme.js';
import { type PackedConvWeights, packConvWeights, packQuantizedConvWeights } from '../native/conv2d.js';
import { type PackedWeights, packQuantizedWeights, packWeights } from '../native/packed_weights.js';
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

/** A product's weights as the kernels read them. `reduceRange` is one of eight-bit weights. */
export function packProduct(product: Product, { format, granularity }: Operand, reduceRange: boolean): Packed {
  const { weights, channels } = product;
  const shape = [channels, weights.length / channels] as const;
  const groups = product.kind === 'conv' ? product.groups : 1;
  if (!format.weightCodes) {
    const options = { bits: format.bits, granularity, reduceRange: reduceRange && format.bits === MOST_BITS };
    if (product.kind === 'matmul') return packWeights(weights, shape, options);
    return packConvWeights(weights, product.shape, { ...options, groups });
  }
  const options = { bits: Math.max(format.bits, LEAST_BITS), groups };
  const codes = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const at = channel * shape[1];
    const made = format.weightCodes(weights.subarray(at, at + shape[1]));
    codes.set(made.codes, at);
    scales[channel] = made.scale;
  }
  if (product.kind === 'matmul') return packQuantizedWeights(codes, shape, scales, options);
  return packQuantizedConvWeights(codes, product.shape, scales, options);
}

/** Weights of one graph's products, each made on first use. */
export class WeightStore {
  private readonly packed = new Map<Product, Map<string, Packed>>();
  /** For weights-only schemes: the values of the codes, in the order of the node's weight. */
  private readonly floats = new Map<Product, Map<string, Float32Array>>();

  constructor(private readonly reduceRange = false) {}

  conv(product: ConvProduct, operand: Operand): PackedConvWeights {
    const make = () => packProduct(product, operand, this.reduceRange);
    return kept(this.packed, product, operand, make) as PackedConvWeights;
  }

  matmul(product: MatmulProduct, operand: Operand): PackedWeights {
    const make = () => packProduct(product, operand, this.reduceRange);
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
