// The addon's float32 operations, as native/binding/{convolution,elementwise,fake_quant,network,statistics,training}.cpp
// define them. Arrays are row-major; images are channels-last [N, H, W, C].

import type { UNARY } from './codes.js';

/** Primitives for one geometry and, reordered, the weights of the version last seen. */
export interface NativeConvolution {
  forward(
    x: Float32Array,
    w: Float32Array,
    weightVersion: number,
    bias: Float32Array | undefined,
    residual: Float32Array | undefined,
    low: number,
    high: number,
    y: Float32Array,
  ): void;
  /** again: the last convolution was this one's backwardWeights, with the same dy. */
  backwardData(dy: Float32Array, w: Float32Array, weightVersion: number, again: boolean, dx: Float32Array): void;
  backwardWeights(x: Float32Array, dy: Float32Array, dw: Float32Array, db: Float32Array | undefined): void;
}

/** Functions of UNARY that native/cuda computes too, bit for bit. */
export const DEVICE_UNARY: ReadonlySet<keyof typeof UNARY> = new Set([
  'relu',
  'clip',
  'sigmoid',
  'hardSigmoid',
  'hardSwish',
  'leakyRelu',
  'geluTanh',
  'sqrt',
  'exp',
  'abs',
  'reciprocal',
] as const);
export interface FloatAddon {
  Convolution: new (geometry: Int32Array, method: number) => NativeConvolution;
  matmul(
    a: Float32Array,
    b: Float32Array,
    bias: Float32Array | undefined,
    c: Float32Array,
    batch: number,
    m: number,
    n: number,
    k: number,
    transA: boolean,
    transB: boolean,
    sharedA: boolean,
    sharedB: boolean,
  ): void;
  batchStatistics(x: Float32Array, rows: number, channels: number, mean: Float32Array, variance: Float32Array): void;
  batchNorm(
    x: Float32Array,
    rows: number,
    channels: number,
    scale: Float32Array,
    shift: Float32Array,
    mean: Float32Array,
    variance: Float32Array,
    epsilon: number,
    relu: boolean,
    residual: Float32Array | undefined,
    y: Float32Array,
  ): void;
  /** y: the result, needed with relu after a residual. */
  batchNormBackward(
    x: Float32Array,
    rows: number,
    channels: number,
    scale: Float32Array,
    shift: Float32Array,
    mean: Float32Array,
    variance: Float32Array,
    epsilon: number,
    relu: boolean,
    training: boolean,
    y: Float32Array | undefined,
    dy: Float32Array,
    dx: Float32Array | undefined,
    dScale: Float32Array,
    dShift: Float32Array,
    dResidual: Float32Array | undefined,
  ): void;
  maxPool(geometry: Int32Array, x: Float32Array, y: Float32Array, where: Int32Array): void;
  maxPoolBackward(geometry: Int32Array, where: Int32Array, dy: Float32Array, dx: Float32Array): void;
  averagePool(geometry: Int32Array, countPadding: boolean, x: Float32Array, y: Float32Array): void;
  averagePoolBackward(geometry: Int32Array, countPadding: boolean, dy: Float32Array, dx: Float32Array): void;
  softmax(rows: number, n: number, x: Float32Array, y: Float32Array): void;
  softmaxBackward(rows: number, n: number, y: Float32Array, dy: Float32Array, dx: Float32Array): void;
  layerNorm(
    rows: number,
    n: number,
    epsilon: number,
    x: Float32Array,
    scale: Float32Array,
    shift: Float32Array | undefined,
    y: Float32Array,
    mean: Float32Array,
    inverse: Float32Array,
  ): void;
  layerNormBackward(
    rows: number,
    n: number,
    x: Float32Array,
    scale: Float32Array,
    mean: Float32Array,
    inverse: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    dScale: Float32Array,
    dShift: Float32Array,
  ): void;
  unary(unary: number, p: number, q: number, x: Float32Array, y: Float32Array): void;
  unaryBackward(
    unary: number,
    p: number,
    q: number,
    x: Float32Array,
    y: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void;
  /** walk: [rank, dims…, strides of a…, strides of b…] */
  binary(binary: number, walk: Int32Array, a: Float32Array, b: Float32Array, y: Float32Array): void;
  /** walk: [rank, dims…, strides of y…, ignored…] */
  reduceSum(walk: Int32Array, factor: number, x: Float32Array, y: Float32Array): void;
  /** walk: [rank, dims…, strides of x…, strides of y…] */
  copyStrided(
    walk: Int32Array,
    x: Float32Array,
    xStart: number,
    y: Float32Array,
    yStart: number,
    accumulate: boolean,
  ): void;
  addScaled(factor: number, x: Float32Array, y: Float32Array): void;
  /** Index of the first NaN or infinity, −1 when there is none. */
  firstNonFinite(x: Float32Array): number;
  gather(outer: number, axis: number, inner: number, index: Int32Array, x: Float32Array, y: Float32Array): void;
  gatherBackward(
    outer: number,
    axis: number,
    inner: number,
    index: Int32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void;
  /** Bytes from the start of the array to the first address that is a multiple of 64. */
  alignment(buffer: Uint8Array): number;
  /** result: [mean loss, rows whose largest logit is the label's] */
  crossEntropy(
    rows: number,
    classes: number,
    logits: Float32Array,
    labels: Int32Array,
    smoothing: number,
    result: Float64Array,
    gradient: Float32Array | undefined,
  ): void;
  /** x: [samples, places, channels], out: [samples, 8]: SAMPLE_STATISTIC. */
  sampleStatistics(samples: number, places: number, channels: number, x: Float32Array, out: Float32Array): void;
  /** x: [samples, h, w, c], y: [samples, gridH, gridW, c] */
  adaptiveAveragePool(
    samples: number,
    h: number,
    w: number,
    c: number,
    gridH: number,
    gridW: number,
    x: Float32Array,
    y: Float32Array,
  ): void;
  norm(x: Float32Array): number;
  sgdStep(
    parameters: Float32Array,
    gradients: Float32Array,
    decayFactors: Float32Array,
    decayEnds: Int32Array,
    momentumBuffer: Float32Array,
    rate: number,
    momentum: number,
    nesterov: boolean,
    gradientFactor: number,
  ): void;
  adamStep(
    parameters: Float32Array,
    gradients: Float32Array,
    decayFactors: Float32Array,
    decayEnds: Int32Array,
    m: Float32Array,
    v: Float32Array,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    decoupled: boolean,
    gradientFactor: number,
    step: number,
  ): void;
  /** x: [rows, n], a range for every `block` elements of a row; extremes: [groups, 2], −1 where an end is zero. */
  fakeQuantize(
    x: Float32Array,
    rows: number,
    n: number,
    block: number,
    symmetric: boolean,
    bits: number | Uint8Array,
    y: Float32Array,
    range: Float32Array,
    extremes: Int32Array,
  ): void;
  /** dx may be dy. */
  fakeQuantizeBackward(
    x: Float32Array,
    rows: number,
    n: number,
    block: number,
    y: Float32Array,
    range: Float32Array,
    extremes: Int32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void;
  averageStep(parameters: Float32Array, average: Float32Array, decay: number): void;
}
