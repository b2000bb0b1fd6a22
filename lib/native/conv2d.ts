// Dynamic two-dimensional convolution on packed weights.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { formatGranularity, type Granularity, perOutputChannel } from '../format/granularity.js';
import { addon, type NativePackedConvWeights } from './addon.js';
import { GEOMETRY_FIELD as FIELD, MAX_BITS, MIN_BITS } from './codes.js';
import { convWeights, forgetWeights, multiplyOnDevice, onDevice } from './cuda_products.js';
import type { Device } from './device_error.js';
import { MAX_DIMENSION, windowOutputs } from './geometry.js';
import { weightBlock } from './granularity.js';
import type { PackWeightsOptions } from './packed_weights.js';
import { type ArithmeticOptions, type EpilogueOptions, nativeEnd, productEnd } from './product_end.js';

/** [outChannels, kernelH, kernelW, channels / groups] */
export type ConvWeightShape = readonly [number, number, number, number];
/** [n, h, w, channels] */
export type ImageShape = readonly [number, number, number, number];

/** How the weights of a convolution are quantized. */
export interface PackConvWeightsOptions extends PackWeightsOptions {
  /** Output channel o reads the input channels of group ⌊o · groups / outChannels⌋ only. Default 1. */
  readonly groups?: number | undefined;
}

/** Packed convolution weights. Freed by the garbage collector, or at once by `dispose()`. */
export class PackedConvWeights {
  /** @internal */
  readonly handle: NativePackedConvWeights;

  /** @internal Use packConvWeights or packQuantizedConvWeights. */
  constructor(
    handle: NativePackedConvWeights,
    readonly shape: ConvWeightShape,
    readonly groups: number,
    readonly bits: number,
    readonly granularity: Granularity,
    /** As requested. Depthwise weights are always stored as int8. */
    readonly storage: 'int8' | 'int4',
  ) {
    this.handle = handle;
  }

  /** Native memory held, in bytes; 0 after `dispose()`. */
  get bytes(): number {
    return this.handle.bytes();
  }

  /** The quantized codes, in the order of `shape`. */
  codes(): Int8Array {
    return this.handle.codes();
  }

  /** The scales, [scale groups, outChannels]; one scale group unless granularity is by block. */
  scales(): Float32Array {
    return this.handle.scales();
  }

  /** Frees the native memory, the device's too; any later use throws. */
  dispose(): void {
    forgetWeights(this);
    this.handle.dispose();
  }
}

// Typed arrays end near here (Node 20); their own RangeError would not say which argument is at fault.
const MAX_ELEMENTS = 2 ** 32;

function pack(
  operation: string,
  weights: Float32Array | Int8Array,
  shape: ConvWeightShape,
  scales: Float32Array | undefined,
  options: PackConvWeightsOptions,
): PackedConvWeights {
  const { bits = 8, granularity = perOutputChannel, groups = 1, storage = bits <= 4 ? 'int4' : 'int8' } = options;
  if (!Array.isArray(shape) || shape.length !== 4 || !shape.every((d) => Number.isInteger(d) && d > 0)) {
    const expected = '[outChannels, kernelH, kernelW, channels / groups], four positive integers';
    throw new InvalidArgumentError(operation, 'shape', expected, JSON.stringify(shape));
  }
  const [outChannels, kernelH, kernelW, groupChannels] = shape;
  const count = outChannels * kernelH * kernelW * groupChannels;
  if (weights.length !== count) {
    const expected = `${count} elements for shape [${shape.join(', ')}]`;
    throw new InvalidArgumentError(operation, 'weights', expected, String(weights.length));
  }
  requireInteger(operation, 'bits', bits, MIN_BITS, MAX_BITS);
  if (options.reduceRange && bits !== 8) {
    throw new InvalidArgumentError(operation, 'reduceRange', 'bits: 8', `bits: ${bits}`);
  }
  requireInteger(operation, 'groups', groups, 1, outChannels);
  const handle = new addon.PackedConvWeights(
    weights,
    outChannels,
    kernelH,
    kernelW,
    groupChannels,
    groups,
    bits,
    storage === 'int4',
    weightBlock(operation, granularity),
    scales,
    options.reduceRange ?? false,
  );
  return new PackedConvWeights(
    handle,
    [outChannels, kernelH, kernelW, groupChannels],
    groups,
    bits,
    granularity,
    storage,
  );
}

/**
 * Quantizes weights [outChannels, kernelH, kernelW, channels / groups] symmetrically (scale = max |w| / (2^(bits−1) − 1),
 * round half to even) and packs them. Blocks of `perGroup` run along kernelH · kernelW · channels / groups.
 * Throws InvalidArgumentError on a wrong length, NaN or infinity (naming the output channel).
 */
export function packConvWeights(
  weights: Float32Array,
  shape: ConvWeightShape,
  options: PackConvWeightsOptions = {},
): PackedConvWeights {
  if (!(weights instanceof Float32Array)) {
    throw new InvalidArgumentError('packConvWeights', 'weights', 'Float32Array', describe(weights));
  }
  return pack('packConvWeights', weights, shape, undefined, options);
}

/**
 * Packs codes that are quantized already, anywhere in int8 (−8 … 7 for int4 storage); scales [scale groups, outChannels],
 * by default all 1.
 */
export function packQuantizedConvWeights(
  codes: Int8Array,
  shape: ConvWeightShape,
  scales?: Float32Array,
  options: Omit<PackConvWeightsOptions, 'reduceRange'> = {},
): PackedConvWeights {
  const operation = 'packQuantizedConvWeights';
  if (!(codes instanceof Int8Array)) {
    throw new InvalidArgumentError(operation, 'weights', 'Int8Array', describe(codes));
  }
  if (options.granularity?.kind === 'perTensor') {
    const expected = 'perChannel(0) (repeat a single scale for every channel) or perGroup(blockSize)';
    throw new InvalidArgumentError(operation, 'granularity', expected, formatGranularity(options.granularity));
  }
  return pack(operation, codes, shape, scales, options);
}

/** How the window moves over the image. */
export interface ConvWindowOptions {
  /** [vertical, horizontal], or one number for both. Default 1. */
  readonly strides?: number | readonly [number, number] | undefined;
  /** [vertical, horizontal], or one number for both. Default 1. */
  readonly dilations?: number | readonly [number, number] | undefined;
  /** [top, left, bottom, right] as in ONNX `pads`, or one number for all. Padding has the real value 0. Default 0. */
  readonly padding?: number | readonly [number, number, number, number] | undefined;
}

/** How the activations of a convolution are quantized. */
export interface ConvActivationOptions {
  /** Bits of an activation, 2–8: one number, or one for each sample. Default 8. */
  readonly activationBits?: number | Uint8Array | undefined;
  /** What shares a range: each sample (perSample, default), or the whole tensor (perTensor). */
  readonly activationRange?: Granularity | undefined;
  /** Filled with the scale each sample was quantized with, [n]. */
  readonly sampleScale?: Float32Array | undefined;
  /** Filled with the zero point of each sample, [n]. */
  readonly sampleZeroPoint?: Int32Array | undefined;
  /** Where; the bits are the same. Default: `FAULTLINE_DEVICE`, else the processor. See matmulDynamic. */
  readonly device?: Device | undefined;
}

export interface Conv2dDynamicOptions
  extends ConvWindowOptions,
    EpilogueOptions,
    ConvActivationOptions,
    ArithmeticOptions {
  /** [n, outH, outW, outChannels]; allocated when absent. May not overlap x. */
  readonly out?: Float32Array | undefined;
}

function setNumbers(
  geometry: number[],
  count: number,
  operation: string,
  argument: string,
  values: number | readonly number[],
  min: number,
): void {
  const one = typeof values === 'number';
  if (!one && (!Array.isArray(values) || values.length !== count)) {
    const received = JSON.stringify(values) ?? describe(values);
    throw new InvalidArgumentError(operation, argument, `${count} integers`, received);
  }
  for (let i = 0; i < count; i++) {
    const value = (one ? values : values[i]) as number;
    requireInteger(operation, argument, value, min, MAX_DIMENSION);
    geometry.push(value);
  }
}

/** @internal The shape and window of a convolution, checked: the geometry up to the window's size. */
export function convGeometry(operation: string, shape: ImageShape, options: ConvWindowOptions): readonly number[] {
  const geometry: number[] = [];
  setNumbers(geometry, 4, operation, 'shape', Array.isArray(shape) ? shape : [], 0);
  setNumbers(geometry, 2, operation, 'strides', options.strides ?? 1, 1);
  setNumbers(geometry, 2, operation, 'dilations', options.dilations ?? 1, 1);
  setNumbers(geometry, 4, operation, 'padding', options.padding ?? 0, 0);
  return geometry;
}

const nativeNumbers = new Int32Array(FIELD.kernelH);

/** @internal A geometry as the addon reads it: valid until the next, so that nothing may run before the call. */
export function nativeGeometry(geometry: readonly number[]): Int32Array {
  nativeNumbers.set(geometry);
  return nativeNumbers;
}

function outputShape(geometry: readonly number[], weights: PackedConvWeights): [number, number, number, number] {
  const [outChannels, kernelH, kernelW] = weights.shape;
  const at = (field: number) => geometry[field] as number;
  const pads = [at(FIELD.padTop) + at(FIELD.padBottom), at(FIELD.padLeft) + at(FIELD.padRight)] as const;
  const outH = windowOutputs(at(FIELD.h), kernelH, at(FIELD.strideH), at(FIELD.dilationH), pads[0]);
  const outW = windowOutputs(at(FIELD.w), kernelW, at(FIELD.strideW), at(FIELD.dilationW), pads[1]);
  return [at(FIELD.n), outH, outW, outChannels];
}

function requireWeights(operation: string, weights: unknown): asserts weights is PackedConvWeights {
  if (!(weights instanceof PackedConvWeights)) {
    throw new InvalidArgumentError(operation, 'weights', 'PackedConvWeights', describe(weights));
  }
}

/** [n, outH, outW, outChannels] of a convolution; outH or outW is 0 when the window does not fit. */
export function conv2dOutputShape(
  shape: ImageShape,
  weights: PackedConvWeights,
  options: ConvWindowOptions = {},
): [number, number, number, number] {
  requireWeights('conv2dOutputShape', weights);
  return outputShape(convGeometry('conv2dOutputShape', shape, options), weights);
}

interface Convolution {
  readonly geometry: readonly number[];
  /** Elements of the result. */
  readonly outputs: number;
}

function begin(
  operation: string,
  x: Float32Array,
  shape: ImageShape,
  weights: unknown,
  options: ConvWindowOptions,
): Convolution {
  if (!(x instanceof Float32Array)) throw new InvalidArgumentError(operation, 'x', 'Float32Array', describe(x));
  requireWeights(operation, weights);
  const geometry = convGeometry(operation, shape, options);
  const image = geometry.slice(0, 4);
  const count = sizeOf(image);
  if (x.length !== count) {
    const expected = `${count} elements for shape [${image.join(', ')}]`;
    throw new InvalidArgumentError(operation, 'x', expected, String(x.length));
  }
  const output = outputShape(geometry, weights);
  const outputs = sizeOf(output);
  if (outputs > MAX_ELEMENTS) {
    throw new InvalidArgumentError(operation, 'x', `an output of at most ${MAX_ELEMENTS} elements`, `[${output}]`);
  }
  return { geometry, outputs };
}

/**
 * y[n, oh, ow, oc] = Σ dequantize(quantize(x[n]))[ih, iw, c] · W[oc, kh, kw, c], + bias, + residual, clipped.
 *
 * x: [n, h, w, channels] (`shape`), weights [outChannels, kernelH, kernelW, channels / groups], result
 * [n, outH, outW, outChannels]. Each sample is quantized at run time, asymmetrically, from the minimum and maximum of all
 * its values (zero included); at 8 bits and `perTensor` that is ONNX DynamicQuantizeLinear bit for bit. Products are
 * summed exactly in int32. A sample's result never depends on the other samples, and is the same on every processor.
 *
 * Throws InvalidArgumentError on shapes that do not fit and on NaN or infinity in x (naming the sample).
 */
export function conv2dDynamic(
  x: Float32Array,
  shape: ImageShape,
  weights: PackedConvWeights,
  options: Conv2dDynamicOptions = {},
): Float32Array {
  const convolution = begin('conv2dDynamic', x, shape, weights, options);
  const { out = new Float32Array(convolution.outputs) } = options;
  if (!(out instanceof Float32Array)) {
    throw new InvalidArgumentError('conv2dDynamic', 'out', 'Float32Array', describe(out));
  }
  convolve(x, convolution, weights, out, options);
  return out;
}

/** The integers inside conv2dDynamic: acc[n, oh, ow, oc] = Σ (q − zeroPoint[n]) · W, exact. */
export function conv2dDynamicAccumulators(
  x: Float32Array,
  shape: ImageShape,
  weights: PackedConvWeights,
  options: ConvWindowOptions & ConvActivationOptions & ArithmeticOptions & { readonly out?: Int32Array } = {},
): Int32Array {
  const convolution = begin('conv2dDynamicAccumulators', x, shape, weights, options);
  const { out = new Int32Array(convolution.outputs), ...rest } = options;
  if (!(out instanceof Int32Array)) {
    throw new InvalidArgumentError('conv2dDynamicAccumulators', 'out', 'Int32Array', describe(out));
  }
  convolve(x, convolution, weights, out, rest);
  return out;
}

function convolve(
  x: Float32Array,
  { geometry, outputs }: Convolution,
  weights: PackedConvWeights,
  out: Float32Array | Int32Array,
  options: EpilogueOptions & ConvActivationOptions & ArithmeticOptions,
): void {
  const { device, sampleScale, sampleZeroPoint } = options;
  const ranges = { scale: sampleScale, zeroPoint: sampleZeroPoint };
  const end = productEnd('conv2dDynamic', 'sample', out, outputs, options, ranges);
  if (!end.saturating16) {
    const there = onDevice('conv2dDynamic', device, (cuda) => {
      const uploaded = convWeights(cuda, weights);
      if (!uploaded) return undefined;
      multiplyOnDevice(cuda, 'conv2dDynamic', 'sample', x, end, (array, ...rest) =>
        cuda.addon.conv2dDynamic(array, nativeGeometry(geometry), uploaded, ...rest),
      );
      return true;
    });
    if (there) return;
  }
  const rest = nativeEnd(end);
  addon.conv2dDynamic(x, nativeGeometry(geometry), weights.handle, ...rest);
}
