// Weights of a matrix product: quantized, laid out for this machine's kernels, kept in native memory.

import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { formatGranularity, type Granularity, perOutputChannel } from '../format/granularity.js';
import { addon, type NativePackedWeights } from './addon.js';
import { MAX_BITS, MIN_BITS } from './codes.js';
import { forgetWeights } from './cuda_products.js';
import { weightBlock } from './granularity.js';

/** How the weights of a matrix product are quantized. */
export interface PackWeightsOptions {
  /** Bits of a weight, 2–8; codes lie in ±(2^(bits−1) − 1). Default 8. */
  readonly bits?: number;
  /**
   * What shares a scale: each output channel (default, perChannel(0)), the tensor (perTensor), or blocks of consecutive k
   * of a channel (perGroup of a power of two from 16 to 16384).
   */
  readonly granularity?: Granularity;
  /**
   * Eight-bit weights in −64 … 64 (scale = max |w| / 64), as ONNX Runtime's `reduce_range`: for processors whose u8·s8
   * product saturates pairs to 16 bits, 2 · 255 · 64 = 32640 cannot. (`bits: 7` also cannot: ±63.) Default false.
   */
  readonly reduceRange?: boolean;
  /** Default: int4 (two codes a byte) when bits ≤ 4. */
  readonly storage?: 'int8' | 'int4';
}

/** Packed weights W[n, k]. Freed by the garbage collector, or at once by `dispose()`. */
export class PackedWeights {
  /** @internal */
  readonly handle: NativePackedWeights;

  /** @internal Use packWeights or packQuantizedWeights. */
  constructor(
    handle: NativePackedWeights,
    /** Output channels. */
    readonly n: number,
    /** Reduced length. */
    readonly k: number,
    readonly bits: number,
    readonly granularity: Granularity,
    readonly storage: 'int8' | 'int4',
  ) {
    this.handle = handle;
  }

  /** Native memory held, in bytes; 0 after `dispose()`. */
  get bytes(): number {
    return this.handle.bytes();
  }

  /** The quantized codes, [n, k]. */
  codes(): Int8Array {
    return this.handle.codes();
  }

  /** The scales, [groups, n]; groups is 1 unless granularity is by block. */
  scales(): Float32Array {
    return this.handle.scales();
  }

  /** Frees the native memory, the device's too; any later use throws. */
  dispose(): void {
    forgetWeights(this);
    this.handle.dispose();
  }
}

const TWO_DIMENSIONS = '[n, k], two positive integers';

function readShape(operation: string, shape: readonly [number, number], length: number): [number, number] {
  const [n, k] = shape;
  if (shape.length !== 2 || !Number.isInteger(n) || !Number.isInteger(k) || n < 1 || k < 1) {
    throw new InvalidArgumentError(operation, 'shape', TWO_DIMENSIONS, JSON.stringify(shape));
  }
  if (length !== n * k) {
    throw new InvalidArgumentError(operation, 'weights', `${n * k} elements for shape [${n}, ${k}]`, String(length));
  }
  return [n, k];
}

/**
 * Quantizes w[n, k] symmetrically (scale = max |w| / (2^(bits−1) − 1), round half to even; see `reduceRange` for the
 * one exception) and packs it.
 * Throws InvalidArgumentError on a wrong length, NaN or infinity (naming the channel).
 */
export function packWeights(
  weights: Float32Array,
  shape: readonly [number, number],
  options: PackWeightsOptions = {},
): PackedWeights {
  const { bits = 8, granularity = perOutputChannel, storage = bits <= 4 ? 'int4' : 'int8' } = options;
  const [n, k] = readShape('packWeights', shape, weights.length);
  requireInteger('packWeights', 'bits', bits, MIN_BITS, MAX_BITS);
  if (options.reduceRange && bits !== 8) {
    throw new InvalidArgumentError('packWeights', 'reduceRange', 'bits: 8', `bits: ${bits}`);
  }
  const handle = new addon.PackedWeights(
    weights,
    n,
    k,
    bits,
    storage === 'int4',
    weightBlock('packWeights', granularity),
    undefined,
    options.reduceRange ?? false,
  );
  return new PackedWeights(handle, n, k, bits, granularity, storage);
}

/**
 * Packs codes that are quantized already. codes[n, k] lie anywhere in int8 (−8 … 7 for int4 storage);
 * scales[groups, n], by default all 1.
 */
export function packQuantizedWeights(
  codes: Int8Array,
  shape: readonly [number, number],
  scales?: Float32Array,
  options: Omit<PackWeightsOptions, 'reduceRange'> = {},
): PackedWeights {
  const { bits = 8, granularity = perOutputChannel, storage = bits <= 4 ? 'int4' : 'int8' } = options;
  const [n, k] = readShape('packQuantizedWeights', shape, codes.length);
  requireInteger('packQuantizedWeights', 'bits', bits, MIN_BITS, MAX_BITS);
  if (granularity.kind === 'perTensor') {
    throw new InvalidArgumentError(
      'packQuantizedWeights',
      'granularity',
      'perChannel(0) (repeat a single scale n times) or perGroup(blockSize)',
      formatGranularity(granularity),
    );
  }
  const handle = new addon.PackedWeights(
    codes,
    n,
    k,
    bits,
    storage === 'int4',
    weightBlock('packQuantizedWeights', granularity),
    scales,
  );
  return new PackedWeights(handle, n, k, bits, granularity, storage);
}
