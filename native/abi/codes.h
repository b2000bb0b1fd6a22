// Codes of operations and places in arrays that C++ and TypeScript exchange. See abi/README.md.
#pragma once

#include <cstdint>

namespace faultline {

// Raised when a native signature or a number in this folder changes: a stale build is refused at load, not at a call.
inline constexpr int kAbiVersion = 12;
inline constexpr int kCudaAbiVersion = 2;

// Functions of one array, with parameters p and q: clip's bounds, hardSigmoid's alpha and beta, scale's factor and
// offset, leakyRelu's slope, elu's depth below zero; the others have none.
enum class Unary : int32_t {
  relu,
  clip,
  sigmoid,
  hardSigmoid,
  hardSwish,
  gelu,
  geluTanh,
  scale,
  sqrt,
  exp,
  log,
  erf,
  tanh,
  abs,
  reciprocal,
  leakyRelu,
  elu,
  softplus,
  floor,
  ceil,
  last = ceil
};

// Functions of two arrays that broadcast.
enum class Binary : int32_t { add, sub, mul, div, addRelu, pow, min, max, last = max };

// Axes of a walk over two operands: Int32Array [rank, dims…, strides of the first…, strides of the second…].
inline constexpr int kMaxAxes = 8;

// How a float32 convolution is computed.
enum class ConvMethod : int32_t {
  direct,
  fast,  // fewer multiplications where that pays: dnn/dense.h, dnn/winograd.h; else direct. For training.
  bf16,  // bfloat16 factors, float32 sums
  last = bf16
};

// What a pool on the device takes of each window.
enum class PoolKind : int32_t { largest, mean, meanWithPadding, last = meanWithPadding };

// Places of a convolution's or a pool's numbers in an Int32Array. Products whose weights are packed end before kernelH,
// convolutions before outH. A pool is a convolution with as many groups and output channels as channels.
enum class GeometryField : int32_t {
  n,
  h,
  w,
  c,
  strideH,
  strideW,
  dilationH,
  dilationW,
  padTop,
  padLeft,
  padBottom,
  padRight,
  kernelH,
  kernelW,
  outChannels,
  groups,
  outH,
  outW,
  count
};

// Scales of weights, in place of a block size: all share one, or each output channel has one.
inline constexpr int64_t kScalePerTensor = -1;
inline constexpr int64_t kScalePerChannel = 0;

// Where the ranges of an error profile's activations come from.
enum class RangeSource : int32_t { perSample, perTensor, fixed, last = fixed };

// Numbers of a sample that sampleStatistics writes, in this order.
enum class SampleStatistic : int32_t {
  largest,
  smallest,
  mean,
  deviation,
  rootMeanSquare,
  zeroShare,        // of its elements that are zero
  channelPeakMean,  // over channels, of each one's largest magnitude
  channelPeakDeviation,
  count
};

// Results of crossEntropy: the mean loss, and the rows whose largest logit is the label's.
enum class CrossEntropyResult : int32_t { loss, correct, count };

}  // namespace faultline
