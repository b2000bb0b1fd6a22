// Numeric formats: what one number of a weight or an activation is stored as.
import { InvalidArgumentError, requireInteger } from '../core/errors.js';

/** Frozen data; each format is one object, so that `===` compares. */
export interface NumericFormat {
  readonly name: string;
  /** `integer`: codes with a scale and a zero point. `float`: not quantized. */
  readonly kind: 'integer' | 'float';
  /**
   * Bits that names of schemes and budgets count. A number that is not quantized counts 16, as in `W4A16`: what runtimes
   * that quantize weights only hold it in. Here it is computed in float32.
   */
  readonly bits: number;
  /**
   * One output channel's weights as codes with a scale, for formats of other codes than ±(2^(bits−1) − 1), rounded: the
   * integer kernels multiply by any codes of int8 (−8 … 7 up to 4 bits). Such a format is one of weights alone.
   */
  readonly weightCodes?: (channel: Float32Array) => WeightCodes;
}

/** w ≈ scale · codes */
export interface WeightCodes {
  readonly codes: Int8Array;
  readonly scale: number;
}

/** Of integer formats. */
export const LEAST_BITS = 2;
export const MOST_BITS = 8;

const integers = Array.from({ length: MOST_BITS - LEAST_BITS + 1 }, (_, i): NumericFormat => {
  const bits = LEAST_BITS + i;
  return Object.freeze({ name: `int${bits}`, kind: 'integer', bits });
});

/** Not quantized. */
export const float32: NumericFormat = Object.freeze({ name: 'float32', kind: 'float', bits: 16 });

/** All formats, fewest bits first. A format is found by its bits: no two have the same. */
export const NUMERIC_FORMATS: readonly NumericFormat[] = Object.freeze([...integers, float32]);

/** The format of most bits that has no more than these. Throws InvalidArgumentError below the least. */
export function formatOfAtMost(bits: number): NumericFormat {
  return NUMERIC_FORMATS.filter((format) => format.bits <= bits).at(-1) ?? integerFormat(bits, 'formatOfAtMost');
}

/** Largest code of a symmetric weight. Throws InvalidArgumentError for formats of other codes. */
export function largestWeightCode({ name, bits, weightCodes }: NumericFormat, operation: string): number {
  if (weightCodes) throw new InvalidArgumentError(operation, 'policy', 'weights of int2 … int8', name);
  return 2 ** (bits - 1) - 1;
}

/** The integer format of 2–8 bits. Throws InvalidArgumentError, with the name of the argument. */
export function integerFormat(bits: number, operation = 'integerFormat', argument = 'bits'): NumericFormat {
  requireInteger(operation, argument, bits, LEAST_BITS, MOST_BITS);
  return integers[bits - LEAST_BITS] as NumericFormat;
}
