// ONNX QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, with ONNX's argument names.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { equalDims, sizeOf } from '../core/shape.js';
import { requireAxis } from '../format/granularity.js';
import { addon } from './addon.js';
import { axisView, blockView, type ParamView, tensorView } from './granularity.js';
import { type OnnxTensor, onnxTensor, requireTensor, requireZeroPoint } from './onnx_tensor.js';
import { chooseQParams, quantize } from './quantize.js';

/** Bits of each type of code. */
const BITS = { uint4: 4, int4: 4, uint8: 8, int8: 8, uint16: 16, int16: 16 } as const;

/** Types of codes that the ONNX operators take. */
export type CodeType = keyof typeof BITS;
const CODE_TYPES = Object.keys(BITS) as CodeType[];

/** Attributes of ONNX's QuantizeLinear and DequantizeLinear. */
export interface LinearAttributes {
  /** The axis that scales run along (per-axis) or are cut along (blocked); default 1. */
  readonly axis?: number;
  /** Neighbours along `axis` that share a scale; default 0: not blocked. */
  readonly block_size?: number;
}

/** ONNX's three layouts of scales: one; one for each index of an axis; one for each block along an axis. */
function linearView(
  operation: string,
  x: OnnxTensor,
  scaleName: string,
  scale: OnnxTensor<'float32'>,
  { axis = 1, block_size = 0 }: LinearAttributes,
): ParamView {
  requireTensor(operation, scaleName, scale, ['float32']);
  requireInteger(operation, 'block_size', block_size, 0, Number.MAX_SAFE_INTEGER);
  if (block_size === 0 && scale.data.length === 1 && scale.dims.length <= 1) return tensorView(x.data.length);
  const at = requireAxis(operation, axis, x.dims.length);
  const expected =
    block_size > 0 ? x.dims.map((dim, i) => (i === at ? Math.ceil(dim / block_size) : dim)) : [x.dims[at] as number];
  if (!equalDims(scale.dims, expected)) {
    throw new InvalidArgumentError(operation, scaleName, `shape [${expected}]`, `[${scale.dims}]`);
  }
  return block_size > 0 ? blockView(x.dims, at, block_size) : axisView(x.dims, at);
}

/** The zero points of these scales as the native code takes them. */
function zeroPoints(
  operation: string,
  argument: string,
  zeroPoint: OnnxTensor | undefined,
  scale: OnnxTensor,
): Int32Array | undefined {
  if (zeroPoint === undefined) return undefined;
  const sameCount = zeroPoint.data.length === scale.data.length;
  if (!equalDims(zeroPoint.dims, scale.dims) && !(sameCount && scale.data.length === 1)) {
    throw new InvalidArgumentError(
      operation,
      argument,
      `shape [${scale.dims}], that of the scale`,
      `[${zeroPoint.dims}]`,
    );
  }
  return Int32Array.from(zeroPoint.data);
}

/**
 * y = saturate(round(x / y_scale) + y_zero_point), half to even, in fp32 (int32 x rounds to fp32 first). Infinity
 * saturates. The type of y is that of y_zero_point, else `output_dtype`, else uint8.
 *
 * Throws InvalidArgumentError on shapes and types that do not fit, on scales that are 0 or not finite, and on NaN in x
 * (naming the row), for which ONNX defines nothing.
 */
export function quantizeLinear<Type extends CodeType = 'uint8'>(
  inputs: {
    readonly x: OnnxTensor<'float32'> | OnnxTensor<'int32'>;
    readonly y_scale: OnnxTensor<'float32'>;
    readonly y_zero_point?: OnnxTensor<Type> | undefined;
  },
  attributes: LinearAttributes & { readonly output_dtype?: Type } = {},
): OnnxTensor<Type> {
  const operation = 'quantizeLinear';
  const { x, y_scale, y_zero_point } = inputs;
  requireTensor(operation, 'x', x, ['float32', 'int32']);
  const view = linearView(operation, x, 'y_scale', y_scale, attributes);
  const dtype = y_zero_point?.dtype ?? attributes.output_dtype ?? ('uint8' as Type);
  if (!CODE_TYPES.includes(dtype)) {
    throw new InvalidArgumentError(operation, 'output_dtype', CODE_TYPES.join(' or '), describe(dtype));
  }
  if (attributes.output_dtype !== undefined && attributes.output_dtype !== dtype) {
    throw new InvalidArgumentError(
      operation,
      'output_dtype',
      `${dtype}, that of y_zero_point`,
      attributes.output_dtype,
    );
  }
  if (y_zero_point !== undefined) requireTensor(operation, 'y_zero_point', y_zero_point, [dtype]);
  const zero = zeroPoints(operation, 'y_zero_point', y_zero_point, y_scale);
  const y = onnxTensor(dtype, x.dims);
  const values = x.data instanceof Float32Array ? x.data : Float32Array.from(x.data);
  const rowLength = Math.max(x.dims.at(-1) ?? 1, 1);
  addon.quantizeLinear(values, ...view, rowLength, y_scale.data, zero, BITS[dtype], y.data);
  return y;
}

/**
 * y = (x − x_zero_point) · x_scale: an exact integer difference, its conversion to fp32, one product.
 * Throws InvalidArgumentError on shapes and types that do not fit.
 */
export function dequantizeLinear(
  inputs: {
    readonly x: OnnxTensor<CodeType> | OnnxTensor<'int32'>;
    readonly x_scale: OnnxTensor<'float32'>;
    readonly x_zero_point?: OnnxTensor | undefined;
  },
  attributes: LinearAttributes = {},
): OnnxTensor<'float32'> {
  const operation = 'dequantizeLinear';
  const { x, x_scale, x_zero_point } = inputs;
  requireTensor(operation, 'x', x, [...CODE_TYPES, 'int32']);
  requireZeroPoint(operation, 'x_zero_point', x_zero_point, x);
  const view = linearView(operation, x, 'x_scale', x_scale, attributes);
  const zero = zeroPoints(operation, 'x_zero_point', x_zero_point, x_scale);
  const y = onnxTensor('float32', x.dims);
  addon.dequantize(x.data, ...view, x_scale.data, zero, y.data);
  return y;
}

/**
 * uint8 codes of x with the scale and zero point of its range, zero included; a range without extent has scale 1 (as
 * in ONNX Runtime; ONNX would divide by 0). Throws InvalidArgumentError on NaN and infinity.
 */
export function dynamicQuantizeLinear({ x }: { readonly x: OnnxTensor<'float32'> }): {
  readonly y: OnnxTensor<'uint8'>;
  readonly y_scale: OnnxTensor<'float32'>;
  readonly y_zero_point: OnnxTensor<'uint8'>;
} {
  requireTensor('dynamicQuantizeLinear', 'x', x, ['float32']);
  const shape = [sizeOf(x.dims)];
  const params = chooseQParams(x.data, shape);
  const y = onnxTensor('uint8', x.dims);
  quantize(x.data, shape, params, y.data);
  return {
    y,
    y_scale: onnxTensor('float32', [], params.scale),
    y_zero_point: onnxTensor('uint8', [], Uint8Array.from(params.zeroPoint)),
  };
}
