// Quantization as operations: choose parameters, fp32 to codes, codes to fp32.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { type Granularity, perTensor } from '../format/granularity.js';
import { addon } from './addon.js';
import { MAX_BITS, MIN_BITS } from './codes.js';
import { layOut, type ParamView } from './granularity.js';

/**
 * How real numbers become codes of b bits. Asymmetric codes fill the range of the type; symmetric ones leave out the
 * lowest code, so that −x always has a code when x has one.
 *
 *                 signed                     unsigned
 *   asymmetric    −2^(b−1) … 2^(b−1) − 1     0 … 2^b − 1
 *   symmetric     ±(2^(b−1) − 1)             1 … 2^b − 1, the signed codes + 2^(b−1)
 */
export interface QuantScheme {
  readonly symmetric: boolean;
  readonly signed: boolean;
}

/** Parameters of a quantized tensor: real = scale · (code − zeroPoint). */
export interface QParams extends QuantScheme {
  readonly granularity: Granularity;
  /** Shape of scale, zeroPoint and (where they differ) bits; [] for one of each. */
  readonly scaleShape: readonly number[];
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  /** 2–8: one for all, or one for each scale. */
  readonly bits: number | Uint8Array;
}

/** How scales and zero points are chosen. */
export interface ChooseQParamsOptions {
  /** Default perTensor. */
  readonly granularity?: Granularity;
  /** 2–8, default 8: one width, or one for each scale (`perToken` with a Uint8Array: per-row bit widths). */
  readonly bits?: number | Uint8Array;
  /** Default false: asymmetric. */
  readonly symmetric?: boolean;
  /** Default false: unsigned. */
  readonly signed?: boolean;
}

function rowLength(shape: readonly number[]): number {
  return Math.max(shape.at(-1) ?? 1, 1);
}

function requireShape(operation: string, argument: string, length: number, shape: readonly number[]): void {
  for (const dim of shape) requireInteger(operation, 'shape', dim, 0, Number.MAX_SAFE_INTEGER);
  if (sizeOf(shape) !== length) {
    const expected = `${sizeOf(shape)} elements for shape [${shape}]`;
    throw new InvalidArgumentError(operation, argument, expected, String(length));
  }
}

function requireFloats(operation: string, x: unknown): asserts x is Float32Array {
  if (!(x instanceof Float32Array)) throw new InvalidArgumentError(operation, 'x', 'Float32Array', describe(x));
}

/** Throws unless `bits` is one width from 2 to 8 or holds one for each of `scales` scales (whose values C++ checks). */
function requireBits(operation: string, bits: number | Uint8Array, scales: number): void {
  if (bits instanceof Uint8Array) {
    if (bits.length === scales) return;
    throw new InvalidArgumentError(operation, 'bits', `one width for each of ${scales} scales`, String(bits.length));
  }
  requireInteger(operation, 'bits', bits, MIN_BITS, MAX_BITS);
}

/**
 * Parameters that cover the minimum and maximum of x[shape], zero included, at each place of the granularity.
 *
 * Asymmetric: scale = (max − min) / (2^b − 1), zeroPoint = round(−min / scale) from the lowest code. Symmetric:
 * scale = max |x| / (2^(b−1) − 1). A range without extent has scale 1. 8 bits, asymmetric, unsigned and perTensor is
 * ONNX DynamicQuantizeLinear bit for bit.
 *
 * Throws InvalidArgumentError on wrong lengths and on NaN or infinity (naming the row: the index of the run along the
 * last axis).
 */
export function chooseQParams(x: Float32Array, shape: readonly number[], options: ChooseQParamsOptions = {}): QParams {
  const operation = 'chooseQParams';
  const { granularity = perTensor, bits = 8, symmetric = false, signed = false } = options;
  requireFloats(operation, x);
  requireShape(operation, 'x', x.length, shape);
  const { scaleShape, view } = layOut(operation, shape, granularity);
  const count = sizeOf(scaleShape);
  requireBits(operation, bits, count);
  const scale = new Float32Array(count);
  const zeroPoint = new Int32Array(count);
  addon.chooseQParams(x, ...view, rowLength(shape), bits, symmetric, signed, scale, zeroPoint);
  return { granularity, scaleShape, scale, zeroPoint, bits, symmetric, signed };
}

/** Throws unless the parameters fit a tensor of this shape. */
function viewOf(operation: string, shape: readonly number[], params: QParams): ParamView {
  const { scaleShape, view } = layOut(operation, shape, params.granularity);
  const count = sizeOf(scaleShape);
  for (const [name, array] of [
    ['scale', params.scale],
    ['zeroPoint', params.zeroPoint],
  ] as const) {
    if (array.length !== count) {
      const expected = `${count} elements for scale shape [${scaleShape}]`;
      throw new InvalidArgumentError(operation, name, expected, String(array.length));
    }
  }
  requireBits(operation, params.bits, count);
  return view;
}

/**
 * codes = clamp(round(x / scale) + zeroPoint): the quotient rounds to fp32, then half to even. Int8Array for signed
 * schemes, else Uint8Array; `out`, where supplied, is filled and returned.
 *
 * Throws InvalidArgumentError on wrong lengths, on a zero point outside the codes, and on NaN or infinity in x (naming
 * the row).
 */
export function quantize(
  x: Float32Array,
  shape: readonly number[],
  params: QParams,
  out?: Uint8Array | Int8Array,
): Uint8Array | Int8Array {
  const operation = 'quantize';
  requireFloats(operation, x);
  requireShape(operation, 'x', x.length, shape);
  const view = viewOf(operation, shape, params);
  const codes = out ?? (params.signed ? new Int8Array(x.length) : new Uint8Array(x.length));
  const { scale, zeroPoint, bits, symmetric, signed } = params;
  addon.quantize(x, ...view, rowLength(shape), scale, zeroPoint, bits, symmetric, signed, codes);
  return codes;
}

/** x = scale · float(code − zeroPoint): one exact difference, one product. */
export function dequantize(
  codes: Uint8Array | Int8Array,
  shape: readonly number[],
  params: QParams,
  out?: Float32Array,
): Float32Array {
  const operation = 'dequantize';
  if (!(codes instanceof (params.signed ? Int8Array : Uint8Array))) {
    const expected = params.signed ? 'Int8Array for a signed scheme' : 'Uint8Array for an unsigned scheme';
    throw new InvalidArgumentError(operation, 'codes', expected, describe(codes));
  }
  requireShape(operation, 'codes', codes.length, shape);
  const view = viewOf(operation, shape, params);
  const x = out ?? new Float32Array(codes.length);
  addon.dequantize(codes, ...view, params.scale, params.zeroPoint, x);
  return x;
}
