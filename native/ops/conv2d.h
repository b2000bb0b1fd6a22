// Dynamic convolution: quantizes each sample by its range and convolves it with packed weights.
#pragma once

#include <cstdint>

#include "core/geometry.h"
#include "core/status.h"
#include "kernels/kernel.h"
#include "quant/packed_conv.h"

namespace faultline {

struct Conv2dWindow {
  int64_t strideH = 1;
  int64_t strideW = 1;
  int64_t dilationH = 1;
  int64_t dilationW = 1;
  int64_t padTop = 0;
  int64_t padLeft = 0;
  int64_t padBottom = 0;
  int64_t padRight = 0;
};

struct Conv2dDynamicArgs {
  const float* x = nullptr;  // [N, H, W, C]
  int64_t n = 0;
  int64_t h = 0;
  int64_t w = 0;
  int64_t c = 0;
  Conv2dWindow window;
  const PackedConv* weights = nullptr;  // [OC, KH, KW, C / groups]
  bool perTensor = false;               // one range for all samples instead of one a sample
  int bits = 8;                         // activation bits of every sample …
  const uint8_t* sampleBits = nullptr;  // … or [N], one a sample (2–8); not with perTensor
  float* out = nullptr;                 // [N, OH, OW, OC]
  int32_t* acc = nullptr;  // [N, OH, OW, OC]: the zero-point-corrected accumulators instead of out; not with blockSize
  Epilogue epilogue;       // residual: [N, OH, OW, OC]
  // Emulates processors whose u8·s8 product saturates pairs to 16 bits (ops/saturating16.h). K runs over kernel rows,
  // columns, channels: the order in which ONNX Runtime and oneDNN pair NHWC operands. A depthwise convolution is exact
  // all the same: both libraries multiply its taps one by one.
  bool saturating16 = false;
  int64_t* saturations = nullptr;  // [OC], with saturating16: raised by the events of each output channel
  // Optional results: the parameters each sample was quantized with, [N].
  float* sampleScale = nullptr;
  int32_t* sampleZeroPoint = nullptr;
};

// The geometry of these sizes, window and weights; its outputs are not set.
Geometry geometryOf(int64_t n, int64_t h, int64_t w, int64_t c, const Conv2dWindow& window,
                    const ConvWeightShape& weights);

// Refuses what conv2dDynamic cannot compute: shapes that do not fit, sums that could overflow int32.
// Sets the outputs of `geometry`, which is that of the arguments.
Status checkConv2d(const Conv2dDynamicArgs& args, Geometry* geometry);

// y[n, oh, ow, oc] = Σ dequantize(quantize(x[n])) · W[oc], padding counting as 0 (+ bias, residual, clip). See
// kernels/kernel.h for the exact sequence. A sample's range is that of all its H · W · C values, zero included.
// Fails when a sample holds NaN or infinity (the error names the sample) and as checkConv2d.
Status conv2dDynamic(const Conv2dDynamicArgs& args);

}  // namespace faultline
