// The geometry of convolutions and pools on [N, H, W, C]: how many outputs it has, and the one place where it is
// checked.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace faultline {

// Outputs along one axis; 0 when the window does not fit.
constexpr int64_t windowOutputs(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t padBegin,
                                int64_t padEnd) {
  const int64_t free = size + padBegin + padEnd - (dilation * (kernel - 1) + 1);
  return free < 0 ? 0 : free / stride + 1;
}

struct Geometry {
  int64_t n = 0, h = 0, w = 0, c = 0;
  int64_t strideH = 1, strideW = 1;
  int64_t dilationH = 1, dilationW = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int64_t kernelH = 1, kernelW = 1;
  int64_t outChannels = 0, groups = 1;
  int64_t outH = 0, outW = 0;

  int64_t paddedH() const { return h + padTop + padBottom; }
  int64_t paddedW() const { return w + padLeft + padRight; }
};

struct GeometryLimits {
  int64_t leastN = 0;
  int64_t leastSide = 1;          // of h and w
  double maxElements = 0x1p40;    // of input, output and weights: their counts cannot overflow
  double maxImageBytes = 0x1p60;  // of one padded sample
  const char* argument = "x";     // what refusals of sizes name
};

// Refuses windows and sizes that make no convolution: below their least, channels that the groups do not divide, a
// window larger than the padded input, tensors beyond the limits. Sets outH and outW.
Status checkConvolution(const char* operation, Geometry* geometry, const GeometryLimits& limits);

// The same of a pool, whose outH and outW are the caller's: they may be rounded up.
Status checkPool(const char* operation, const Geometry& g, const GeometryLimits& limits);

}  // namespace faultline
