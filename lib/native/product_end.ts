// What follows a dynamic product (matrix product or convolution, on any device): bias, residual, clip, output.

import { describe, InvalidArgumentError } from '../core/errors.js';
import { type Granularity, perSample } from '../format/granularity.js';
import type { NativeEnd } from './addon.js';
import { sharesRange } from './granularity.js';

/** Applied to a float output after dequantization, in this order: + bias, + residual, clip. */
export interface EpilogueOptions {
  /** [n] */
  readonly bias?: Float32Array | undefined;
  /** Same shape as the output. */
  readonly residual?: Float32Array | undefined;
  /** [min, max]; `[0, Infinity]` is ReLU, `[0, 6]` ReLU6. */
  readonly clip?: readonly [number, number] | undefined;
}

/** How products are summed. */
export interface ArithmeticOptions {
  /**
   * `"exact"` (default): every product summed in int32, as VNNI, AMX and NEON do.
   *
   * `"saturating16"`: bit for bit what an x86 server without VNNI computes with `vpmaddubsw`: pairs of products along k,
   * (0, 1), (2, 3), …, summed and saturated to 16 bits, then summed exactly. It is the arithmetic of the u8·s8 kernels
   * of ONNX Runtime and oneDNN for AVX2 and AVX-512 without VNNI (both take k in quads from 0, two pairs a quad).
   * The zero point is subtracted afterwards, from the sum of the weights, as they do.
   */
  readonly arithmetic?: 'exact' | 'saturating16' | undefined;
  /** With `"saturating16"`: raised by the number of saturated pairs of each output channel, [n]. */
  readonly saturations?: Float64Array | undefined;
}

/** The output of a product and what is applied to it. */
export interface ProductEnd {
  readonly out: Float32Array | Int32Array;
  /** Elements of the product; `out` may be longer. */
  readonly outputs: number;
  readonly activationBits: number | Uint8Array;
  readonly perTensor: boolean;
  readonly bias: Float32Array | undefined;
  readonly residual: Float32Array | undefined;
  readonly clip: readonly [number, number];
  readonly scale: Float32Array | undefined;
  readonly zeroPoint: Int32Array | undefined;
  readonly saturating16: boolean;
  readonly saturations: Float64Array | undefined;
}

const NO_CLIP = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

interface ProductOptions extends EpilogueOptions, ArithmeticOptions {
  readonly activationBits?: number | Uint8Array | undefined;
  readonly activationRange?: Granularity | undefined;
}

/** @internal */
export function checkArithmetic(
  operation: string,
  { arithmetic = 'exact', saturations }: ArithmeticOptions,
): Pick<ProductEnd, 'saturating16' | 'saturations'> {
  if (arithmetic !== 'exact' && arithmetic !== 'saturating16') {
    throw new InvalidArgumentError(operation, 'arithmetic', '"exact" or "saturating16"', describe(arithmetic));
  }
  if (saturations !== undefined && arithmetic === 'exact') {
    throw new InvalidArgumentError(operation, 'saturations', 'arithmetic: "saturating16"', '"exact"');
  }
  return { saturating16: arithmetic === 'saturating16', saturations };
}

/** @internal The end that the options describe, checked. `ranges`: filled with the parameters of each row or sample. */
export function productEnd(
  operation: string,
  item: 'row' | 'sample',
  out: Float32Array | Int32Array,
  outputs: number,
  options: ProductOptions,
  ranges: Pick<ProductEnd, 'scale' | 'zeroPoint'>,
): ProductEnd {
  const arithmetic = checkArithmetic(operation, options);
  const { activationBits = 8, activationRange = perSample, bias, residual, clip: bounds = NO_CLIP } = options;
  const clip = [bounds[0], bounds[1]] as const;
  if (!(clip[0] <= clip[1])) {
    throw new InvalidArgumentError(operation, 'clip', '[min, max] with min ≤ max', JSON.stringify(bounds));
  }
  const { scale, zeroPoint } = ranges;
  const perTensor = sharesRange(operation, activationRange, item);
  return { out, outputs, activationBits, perTensor, bias, residual, clip, scale, zeroPoint, ...arithmetic };
}

/** @internal As the addon's products take it. */
export function nativeEnd(end: ProductEnd): NativeEnd {
  const { out, activationBits, perTensor, bias, residual, clip, scale, zeroPoint, saturating16, saturations } = end;
  return [out, activationBits, perTensor, bias, residual, ...clip, scale, zeroPoint, saturating16, saturations];
}
