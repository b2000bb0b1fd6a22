// ONNX ConvInteger and QLinearConv on the exact kernels, in ONNX's layout: x [N, C, H, W], w [OC, C / groups, KH, KW].
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "ops/conv2d.h"
#include "ops/integer_tile.h"

namespace faultline {

struct IntegerConvShape {
  int64_t n = 0;
  int64_t c = 0;
  int64_t h = 0;
  int64_t w = 0;
  int64_t outC = 0;
  int64_t kernelH = 1;
  int64_t kernelW = 1;
  int64_t groups = 1;
  Conv2dWindow window;

  int64_t groupC() const { return c / groups; }
  int64_t groupOutC() const { return outC / groups; }
  int64_t outH() const {
    return windowOutputs(h, kernelH, window.strideH, window.dilationH, window.padTop, window.padBottom);
  }
  int64_t outW() const {
    return windowOutputs(w, kernelW, window.strideW, window.dilationW, window.padLeft, window.padRight);
  }
};

// Weights of planes, s8, four rows of the window in a lane (kernels/kernel.h, PlaneCall).
struct PlaneWeights {
  int64_t rowGroups = 0;            // ⌈KH / 4⌉
  std::vector<int8_t> columns;      // [OC, rowGroups, KW, 4]
  std::vector<int8_t> ones;         // [rowGroups, KW, 4] 1 where the window has a row
  std::vector<int32_t> sums;        // [OC] Σ w
  std::vector<int32_t> zeroPoints;  // [OC] of the s8 codes
};

struct IntegerConvWeights {
  std::vector<IntegerWeights> groups;
  // Instead, with one input channel a group and less than a panel of output channels.
  PlaneWeights planes;

  bool isDepthwise() const { return groups.empty(); }
};

// Makes w fit for integerConv; u8 or s8 as `isSigned` says, zero points as in packIntegerWeights, one a channel. Of the
// shape only channels, window and groups are read.
IntegerConvWeights packConvW(const uint8_t* w, bool isSigned, const IntegerConvShape& shape, const int32_t* zeroPoint,
                             int64_t step);

struct IntegerConvArgs {
  const char* operation = "convInteger";
  IntegerConvShape shape;
  const uint8_t* x = nullptr;  // u8, or s8 (xSigned)
  bool xSigned = false;
  int32_t xZeroPoint = 0;
  const IntegerConvWeights* w = nullptr;
  // Either the accumulators, or codes as `requantize` says (its rows are not used: one x and y scale).
  int32_t* acc = nullptr;  // [N, OC, OH, OW]
  uint8_t* codes = nullptr;
  Requantize requantize;
};

// c = Σ (x − zx)(w − zw) over the window; padding is zx. Refuses a window whose sums could leave int32.
Status integerConv(const IntegerConvArgs& args);

// The parts for weights that are depthwise (onnx_integer_depthwise.cpp).
PlaneWeights packPlanes(const uint8_t* w, bool isSigned, const IntegerConvShape& shape, const int32_t* zeroPoint,
                        int64_t step);
Status integerDepthwise(const IntegerConvArgs& args);

}  // namespace faultline
