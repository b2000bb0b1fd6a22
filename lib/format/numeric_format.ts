// Numeric formats: what one number of a weight or an activation is stored as.
import { requireInteger } from '../core/errors.js';

/** Frozen data; each format is one object, so that `===` compares. */
export interface NumericFormat {
  readonly name: 'int2' | 'int3' | 'int4' | 'int5' | 'int6' | 'int7' | 'int8' | 'float32';
  /** `integer`: codes with a scale and a zero point. `float`: not quantized. */
  readonly kind: 'integer' | 'float';
  /**
   * Bits that names of schemes and budgets count. A number that is not quantized counts 16, as in `W4A16`: what runtimes
   * that quantize weights only hold it in. Here it is computed in float32.
   */
  readonly bits: number;
}

/** Of integer formats. */
export const LEAST_BITS = 2;
export const MOST_BITS = 8;

const integers = Array.from({ length: MOST_BITS - LEAST_BITS + 1 }, (_, i): NumericFormat => {
  const bits = LEAST_BITS + i;
  return Object.freeze({ name: `int${bits}` as NumericFormat['name'], kind: 'integer', bits });
});

/** Not quantized. */
export const float32: NumericFormat = Object.freeze({ name: 'float32', kind: 'float', bits: 16 });

/** All formats, fewest bits first. A format is found by its bits: no two have the same. */
export const NUMERIC_FORMATS: readonly NumericFormat[] = Object.freeze([...integers, float32]);

/** The format of most bits that has no more than these. Throws InvalidArgumentError below the least. */
export function formatOfAtMost(bits: number): NumericFormat {
  return NUMERIC_FORMATS.filter((format) => format.bits <= bits).at(-1) ?? integerFormat(bits, 'formatOfAtMost');
}

/** The integer format of 2–8 bits. Throws InvalidArgumentError, with the name of the argument. */
export function integerFormat(bits: number, operation = 'integerFormat', argument = 'bits'): NumericFormat {
  requireInteger(operation, argument, bits, LEAST_BITS, MOST_BITS);
  return integers[bits - LEAST_BITS] as NumericFormat;
}
