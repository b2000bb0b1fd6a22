// Pooling of channels-last float32 tensors, forward and backward. x: [N, H, W, C] → y: [N, OH, OW, C].
#pragma once

#include <cstdint>

namespace faultline {

struct PoolGeometry {
  int64_t n, h, w, c;
  int64_t outH, outW;
  int64_t kernelH, kernelW;
  int64_t strideH, strideW;
  int64_t padTop, padLeft, padBottom, padRight;
  int64_t dilationH, dilationW;

  int64_t inputs() const { return n * h * w * c; }
  int64_t outputs() const { return n * outH * outW * c; }
};

// Padding never wins. `where` is the place of each largest value in its sample's plane, ih · W + iw; the first of
// equals.
void maxPool(const PoolGeometry& g, const float* x, float* y, int32_t* where);
void maxPoolBackward(const PoolGeometry& g, const int32_t* where, const float* dy, float* dx);
// countPadding: padded places count in the mean, as far as the declared padding reaches.
void averagePool(const PoolGeometry& g, bool countPadding, const float* x, float* y);
void averagePoolBackward(const PoolGeometry& g, bool countPadding, const float* dy, float* dx);

}  // namespace faultline
