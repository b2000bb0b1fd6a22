// Splits the error of one quantized layer by cause: rounding or clipping of activations, rounding of weights, their
// cross term, saturation of an emulated processor; per layer and per output channel.

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { type Granularity, perOutputChannel, perSample } from '../format/granularity.js';
import { addon, type NativeErrorProfile } from './addon.js';
import {
  MAX_BITS,
  MIN_BITS,
  PROFILE_ACTIVATION,
  PROFILE_SUM,
  PROFILE_TERM,
  RANGE_SOURCE,
  SUMS_PER_TERM,
} from './codes.js';
import {
  type ConvWeightShape,
  type ConvWindowOptions,
  convGeometry,
  type ImageShape,
  nativeGeometry,
} from './conv2d.js';
import { sharesRange, weightBlock } from './granularity.js';
import { checkArithmetic } from './product_end.js';

/** Quantization of the profiled layer. */
export interface ErrorProfileOptions {
  /** Bits of a weight, 2–8. Default 8. */
  readonly bits?: number;
  /** Default perChannel(0): of output channels. */
  readonly granularity?: Granularity;
  /** Eight-bit weights in −64 … 64; see `packWeights`. Default false. */
  readonly reduceRange?: boolean;
  /** Bits of an activation, 2–8. Default 8. */
  readonly activationBits?: number;
  /**
   * The range of activations: perSample (default; a sample is a row of a matrix or an image), perTensor (the
   * range of each batch that is added), or a fixed [min, max], beyond which values are clipped. Zero is always included.
   */
  readonly range?: Granularity | readonly [number, number];
  /** `"saturating16"`: the quantized output is that of a processor without VNNI; see `matmulDynamic`. */
  readonly arithmetic?: 'exact' | 'saturating16';
}

/** The part of an error that has one cause. */
export interface ErrorTerm {
  /** Mean of its square. */
  readonly mse: number;
  /** 10 · log10(mean of the squared fp32 output / mse); Infinity where the term is zero. */
  readonly sqnrDb: number;
  readonly maxAbs: number;
  /**
   * Σ term · error / Σ error²: the part of the squared error that vanishes with the term, to first order. The shares of
   * all terms sum to 1; a term that others cancel has a negative one. 0 where there is no error.
   */
  readonly share: number;
}

/** The quantized output against the fp32 one: error = quantized − fp32. Bias and activation function are not applied. */
export interface ErrorSummary {
  /** Signal to quantization noise: 10 · log10(Σ fp32² / Σ error²). Infinity without error. */
  readonly sqnrDb: number;
  readonly mse: number;
  /** Of the angle between the two outputs; 1 when both are zero. */
  readonly cosine: number;
  readonly maxAbsError: number;
  /** Mean error: the shift a later layer sees as a bias. */
  readonly meanError: number;
  readonly terms: {
    /** e_r · w, from rounding activations. */
    readonly activationRounding: ErrorTerm;
    /** e_c · w, from activations beyond the range. */
    readonly activationClipping: ErrorTerm;
    /** x · e_w. */
    readonly weightRounding: ErrorTerm;
    /** (e_r + e_c) · e_w. */
    readonly cross: ErrorTerm;
    /** Saturating minus exact sums, in emulation. */
    readonly saturation: ErrorTerm;
  };
  /** Saturated pairs of products, in emulation. */
  readonly saturations: number;
}

export interface ChannelErrorProfile extends ErrorSummary {
  readonly weights: {
    /** Root mean square of the weights' rounding error over the scale; 1/√12 = .2887 for uniform errors. */
    readonly rmseOverScale: number;
    /** Part of the code range outside the smallest and largest code used. */
    readonly unusedRange: number;
  };
}

export interface LayerErrorProfile extends ErrorSummary {
  /** Outputs of each channel that were compared. */
  readonly outputs: number;
  readonly activations: {
    /** Ranges quantized. */
    readonly samples: number;
    readonly elements: number;
    /** Root mean square of the rounding error over the scale; 1/√12 = .2887 for uniform errors. */
    readonly rmseOverScale: number;
    /** The same for the clipping error. */
    readonly clippingRmseOverScale: number;
    /** Elements whose code was clipped. */
    readonly clipped: number;
    /** Mean over the samples of the part of the code range outside the smallest and largest code used. */
    readonly unusedRange: number;
    /** Codes 0 … 2^bits − 1 that never occur. */
    readonly unusedCodes: number;
    /** Elements by code; padding does not count. [2^bits] */
    readonly histogram: Float64Array;
  };
  readonly weights: {
    readonly rmseOverScale: number;
    /** Mean over the channels. */
    readonly unusedRange: number;
    readonly unusedCodes: number;
    /** Weights by code: histogram[code + largestCode]. [2 · largestCode + 1] */
    readonly histogram: Float64Array;
    /** 2^(bits−1) − 1, or 64 with reduceRange. */
    readonly largestCode: number;
  };
  /** By output channel. */
  readonly channels: readonly ChannelErrorProfile[];
}

const { signalSquared, quantizedSquared, signalQuantized, error, errorSquared, errorMax, firstTerm } = PROFILE_SUM;
const SUMS = firstTerm + SUMS_PER_TERM * Object.keys(PROFILE_TERM).length;

function isMaximum(which: number): boolean {
  return which === errorMax || (which >= firstTerm && (which - firstTerm) % SUMS_PER_TERM === 2);
}

/** Signal-to-noise ratio in dB of two sums of squares. */
function decibels(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}

function summarize(sums: Float64Array, outputs: number, saturations: number): ErrorSummary {
  const at = (which: number) => sums[which] as number;
  const term = (index: number): ErrorTerm => {
    const first = firstTerm + index * SUMS_PER_TERM;
    return {
      mse: ratio(at(first), outputs),
      sqnrDb: decibels(at(signalSquared), at(first)),
      share: ratio(at(first + 1), at(errorSquared)),
      maxAbs: at(first + 2),
    };
  };
  const norms = Math.sqrt(at(signalSquared)) * Math.sqrt(at(quantizedSquared));
  const bothZero = at(signalSquared) === 0 && at(quantizedSquared) === 0;
  return {
    sqnrDb: decibels(at(signalSquared), at(errorSquared)),
    mse: ratio(at(errorSquared), outputs),
    cosine: bothZero ? 1 : ratio(at(signalQuantized), norms),
    maxAbsError: at(errorMax),
    meanError: ratio(at(error), outputs),
    terms: {
      activationRounding: term(PROFILE_TERM.activationRounding),
      activationClipping: term(PROFILE_TERM.activationClipping),
      weightRounding: term(PROFILE_TERM.weightRounding),
      cross: term(PROFILE_TERM.cross),
      saturation: term(PROFILE_TERM.saturation),
    },
    saturations,
  };
}

function unusedCodes(histogram: Float64Array): number {
  return histogram.reduce((count, elements) => count + (elements === 0 ? 1 : 0), 0);
}

const isFixed = (range: Granularity | readonly [number, number]): range is readonly [number, number] =>
  Array.isArray(range);

/**
 * Accumulates the error profile of one layer over any number of batches: memory does not grow with them, and however
 * the same samples are split into batches, and on whatever processor and number of threads, the result has the same
 * bits (`range: perTensor` excepted: there a batch is what shares a range).
 *
 * Precision: errors of operands are rounded once to fp32; products are chains of K fp32 fused multiply-adds; sums over
 * outputs are fp64. A term is within γ(K + 1) · Σ|a_k · b_k| of its true value, γ(n) ≈ n · 2^-24; the quantized output
 * is the engine's own.
 */
export class ErrorProfile {
  readonly #handle: NativeErrorProfile;
  readonly #shape: ConvWeightShape;
  readonly #groups: number;

  /**
   * @param weights fp32, [n, k] for a matrix product, [outChannels, kernelH, kernelW, channels / groups] for a
   * convolution @param groups of channels, for a convolution
   *
   * Throws InvalidArgumentError on a wrong length or shape, NaN or infinity (naming the channel).
   */
  constructor(
    weights: Float32Array,
    shape: readonly [number, number] | ConvWeightShape,
    options: ErrorProfileOptions = {},
    groups = 1,
  ) {
    const operation = 'ErrorProfile';
    if (!(weights instanceof Float32Array)) {
      throw new InvalidArgumentError(operation, 'weights', 'Float32Array', describe(weights));
    }
    if ((shape.length !== 2 && shape.length !== 4) || !shape.every((size) => Number.isInteger(size) && size > 0)) {
      const expected = '[n, k] or [outChannels, kernelH, kernelW, channels / groups], positive integers';
      throw new InvalidArgumentError(operation, 'shape', expected, JSON.stringify(shape));
    }
    if (weights.length !== sizeOf(shape)) {
      const expected = `${sizeOf(shape)} elements for shape ${JSON.stringify(shape)}`;
      throw new InvalidArgumentError(operation, 'weights', expected, String(weights.length));
    }
    this.#shape = shape.length === 2 ? [shape[0], 1, 1, shape[1]] : shape;
    this.#groups = groups;
    const { bits = 8, granularity = perOutputChannel, activationBits = 8, range = perSample } = options;
    requireInteger(operation, 'bits', bits, MIN_BITS, MAX_BITS);
    requireInteger(operation, 'activationBits', activationBits, MIN_BITS, MAX_BITS);
    requireInteger(operation, 'groups', groups, 1, shape[0]);
    checkArithmetic(operation, options);
    if (options.reduceRange && bits !== 8) {
      throw new InvalidArgumentError(operation, 'reduceRange', 'bits: 8', `bits: ${bits}`);
    }
    const fixed = isFixed(range);
    const [min, max] = fixed ? range : [0, 0];
    if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max)) {
      throw new InvalidArgumentError(operation, 'range', '[min, max] with min ≤ max', `[${min}, ${max}]`);
    }
    const item = shape.length === 2 ? 'row' : 'sample';
    const dynamic = !fixed && sharesRange(operation, range, item) ? 'perTensor' : 'perSample';
    const [outChannels, kernelH, kernelW, groupChannels] = this.#shape;
    this.#handle = new addon.ErrorProfile(
      weights,
      outChannels,
      kernelH,
      kernelW,
      groupChannels,
      groups,
      bits,
      weightBlock(operation, granularity),
      options.reduceRange ?? false,
      activationBits,
      RANGE_SOURCE[fixed ? 'fixed' : dynamic],
      min,
      max,
      options.arithmetic === 'saturating16',
    );
  }

  /**
   * Adds x[m, k] (for weights [n, k]), or the pixels x[…, channels] of a 1×1 convolution as samples of one pixel each.
   * Throws InvalidArgumentError on a wrong length and on NaN or infinity (naming the row); nothing is added then.
   */
  addRows(x: Float32Array, operation = 'ErrorProfile.addRows'): this {
    const k = this.#shape[3] * this.#groups;
    if (this.#shape[1] !== 1 || this.#shape[2] !== 1) {
      const expected = 'images, by addImages, for weights with a window';
      throw new InvalidArgumentError(operation, 'x', expected, 'rows');
    }
    requireFloats(operation, x);
    if (x.length % k !== 0) {
      throw new InvalidArgumentError(operation, 'x', `a multiple of k = ${k} elements`, String(x.length));
    }
    this.#handle.add(x, nativeGeometry(convGeometry(operation, [x.length / k, 1, 1, k], {})), operation);
    return this;
  }

  /**
   * Adds images x[n, h, w, channels].
   * Throws InvalidArgumentError on shapes that do not fit and on NaN or infinity (naming the sample); nothing is added
   * then.
   */
  addImages(
    x: Float32Array,
    shape: ImageShape,
    window: ConvWindowOptions = {},
    operation = 'ErrorProfile.addImages',
  ): this {
    requireFloats(operation, x);
    const geometry = convGeometry(operation, shape, window);
    if (x.length !== sizeOf(shape)) {
      const expected = `${sizeOf(shape)} elements for shape ${JSON.stringify(shape)}`;
      throw new InvalidArgumentError(operation, 'x', expected, String(x.length));
    }
    this.#handle.add(x, nativeGeometry(geometry), operation);
    return this;
  }

  /** The profile of everything added so far. */
  read(): LayerErrorProfile {
    const raw = this.#handle.read();
    const [outChannels, kernelH, kernelW, groupChannels] = this.#shape;
    const k = kernelH * kernelW * groupChannels;
    const largestCode = (raw.weightHistogram.length - 1) / 2;
    const total = new Float64Array(SUMS);
    const channels: ChannelErrorProfile[] = [];
    let weightSquares = 0;
    let weightsUnused = 0;
    for (let channel = 0; channel < outChannels; channel++) {
      const sums = raw.sums.subarray(channel * SUMS, (channel + 1) * SUMS);
      sums.forEach((value, which) => {
        const sum = total[which] as number;
        total[which] = isMaximum(which) ? Math.max(sum, value) : sum + value;
      });
      const squared = raw.weightRoundingSquared[channel] as number;
      const used = (raw.weightLargest[channel] as number) - (raw.weightSmallest[channel] as number);
      const weights = { rmseOverScale: Math.sqrt(squared / k), unusedRange: 1 - used / (2 * largestCode) };
      weightSquares += squared;
      weightsUnused += weights.unusedRange;
      channels.push({ ...summarize(sums, raw.outputs, raw.saturations[channel] as number), weights });
    }
    const activation = (field: keyof typeof PROFILE_ACTIVATION) => raw.activations[PROFILE_ACTIVATION[field]] as number;
    const [samples, elements] = [activation('samples'), activation('elements')];
    const saturations = raw.saturations.reduce((sum, count) => sum + count, 0);
    return {
      ...summarize(total, raw.outputs * outChannels, saturations),
      outputs: raw.outputs,
      activations: {
        samples,
        elements,
        rmseOverScale: Math.sqrt(ratio(activation('roundingSquared'), elements)),
        clippingRmseOverScale: Math.sqrt(ratio(activation('clippingSquared'), elements)),
        clipped: activation('clipped'),
        unusedRange: ratio(activation('unusedRange'), samples),
        unusedCodes: unusedCodes(raw.activationHistogram),
        histogram: raw.activationHistogram,
      },
      weights: {
        rmseOverScale: Math.sqrt(weightSquares / (k * outChannels)),
        unusedRange: weightsUnused / outChannels,
        unusedCodes: unusedCodes(raw.weightHistogram),
        histogram: raw.weightHistogram,
        largestCode,
      },
      channels,
    };
  }

  /** Frees the native memory; any later use throws. */
  dispose(): void {
    this.#handle.dispose();
  }
}

function requireFloats(operation: string, x: unknown): asserts x is Float32Array {
  if (!(x instanceof Float32Array)) throw new InvalidArgumentError(operation, 'x', 'Float32Array', describe(x));
}

/**
 * The error profile of x[m, k] · W[n, k]ᵀ under quantization. See ErrorProfile for precision and for input that comes
 * in batches. Throws InvalidArgumentError as ErrorProfile does.
 */
export function profileMatmul(
  x: Float32Array,
  weights: Float32Array,
  shape: readonly [number, number],
  options: ErrorProfileOptions = {},
): LayerErrorProfile {
  const profile = new ErrorProfile(weights, shape, options);
  try {
    return profile.addRows(x, 'profileMatmul').read();
  } finally {
    profile.dispose();
  }
}

/**
 * The error profile of the convolution of x[n, h, w, c] with W[outChannels, kernelH, kernelW, c / groups] under
 * quantization. Throws InvalidArgumentError as ErrorProfile does.
 */
export function profileConv2d(
  x: Float32Array,
  xShape: ImageShape,
  weights: Float32Array,
  shape: ConvWeightShape,
  options: ErrorProfileOptions & ConvWindowOptions & { readonly groups?: number } = {},
): LayerErrorProfile {
  const { groups = 1, strides, dilations, padding, ...rest } = options;
  const profile = new ErrorProfile(weights, shape, rest, groups);
  try {
    return profile.addImages(x, xShape, { strides, dilations, padding }, 'profileConv2d').read();
  } finally {
    profile.dispose();
  }
}
