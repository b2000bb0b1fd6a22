// The numbers that C++ and TypeScript exchange. Made of native/abi/ by scripts/abi.mjs: change them there.

// native/abi/codes.h
export const ABI_VERSION = 12;
export const CUDA_ABI_VERSION = 2;
export const UNARY = {
  relu: 0,
  clip: 1,
  sigmoid: 2,
  hardSigmoid: 3,
  hardSwish: 4,
  gelu: 5,
  geluTanh: 6,
  scale: 7,
  sqrt: 8,
  exp: 9,
  log: 10,
  erf: 11,
  tanh: 12,
  abs: 13,
  reciprocal: 14,
  leakyRelu: 15,
  elu: 16,
  softplus: 17,
  floor: 18,
  ceil: 19,
} as const;
export const BINARY = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  addRelu: 4,
  pow: 5,
  min: 6,
  max: 7,
} as const;
export const MAX_AXES = 8;
export const CONV_METHOD = {
  direct: 0,
  fast: 1,
  bf16: 2,
} as const;
export const POOL_KIND = {
  largest: 0,
  mean: 1,
  meanWithPadding: 2,
} as const;
export const GEOMETRY_FIELD = {
  n: 0,
  h: 1,
  w: 2,
  c: 3,
  strideH: 4,
  strideW: 5,
  dilationH: 6,
  dilationW: 7,
  padTop: 8,
  padLeft: 9,
  padBottom: 10,
  padRight: 11,
  kernelH: 12,
  kernelW: 13,
  outChannels: 14,
  groups: 15,
  outH: 16,
  outW: 17,
} as const;
export const SCALE_PER_TENSOR = -1;
export const SCALE_PER_CHANNEL = 0;
export const RANGE_SOURCE = {
  perSample: 0,
  perTensor: 1,
  fixed: 2,
} as const;
export const SAMPLE_STATISTIC = {
  largest: 0,
  smallest: 1,
  mean: 2,
  deviation: 3,
  rootMeanSquare: 4,
  zeroShare: 5,
  channelPeakMean: 6,
  channelPeakDeviation: 7,
} as const;
export const CROSS_ENTROPY_RESULT = {
  loss: 0,
  correct: 1,
} as const;

// native/abi/image.h
export const LEAST_SIDE = 8;
export const MOST_SIDE = 4096;
export const CORRUPTION_KIND = {
  gaussian_noise: 0,
  shot_noise: 1,
  impulse_noise: 2,
  defocus_blur: 3,
  glass_blur: 4,
  motion_blur: 5,
  zoom_blur: 6,
  snow: 7,
  frost: 8,
  fog: 9,
  brightness: 10,
  contrast: 11,
  elastic_transform: 12,
  pixelate: 13,
  jpeg_compression: 14,
  speckle_noise: 15,
  gaussian_blur: 16,
  spatter: 17,
  saturate: 18,
  rotation: 19,
  translation: 20,
  scaling: 21,
  shear: 22,
  linear: 23,
  occlusion: 24,
} as const;
export const RANGE_ATTACK = {
  bright_pixel: 0,
  bright_row: 1,
  saturated_patch: 2,
  outlier_channel: 3,
  intensity_scale: 4,
} as const;
export const PLACEMENT_FIELD = {
  mirrored: 0,
  shiftY: 1,
  shiftX: 2,
  holeY: 3,
  holeX: 4,
} as const;

// native/abi/limits.h
export const MIN_BITS = 2;
export const MAX_BITS = 8;
export const MIN_BLOCK_SIZE = 16;
export const MAX_BLOCK_SIZE = 16384;

// native/abi/profile.h
export const PROFILE_SUM = {
  signalSquared: 0,
  quantizedSquared: 1,
  signalQuantized: 2,
  error: 3,
  errorSquared: 4,
  errorMax: 5,
  firstTerm: 6,
} as const;
export const PROFILE_TERM = {
  activationRounding: 0,
  activationClipping: 1,
  weightRounding: 2,
  cross: 3,
  saturation: 4,
} as const;
export const SUMS_PER_TERM = 3;
export const PROFILE_ACTIVATION = {
  samples: 0,
  elements: 1,
  roundingSquared: 2,
  clippingSquared: 3,
  clipped: 4,
  unusedRange: 5,
} as const;
