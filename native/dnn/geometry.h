// The shapes of a two-dimensional convolution.
#pragma once

#include <cstdint>

#include "core/geometry.h"

namespace faultline::dnn {

struct ConvGeometry {
  int64_t n, h, w, c;
  int64_t outChannels, kernelH, kernelW;
  int64_t strideH, strideW;
  int64_t padTop, padLeft, padBottom, padRight;
  int64_t dilationH, dilationW;  // 1 is dense
  int64_t groups;

  int64_t outH() const { return windowOutputs(h, kernelH, strideH, dilationH, padTop, padBottom); }
  int64_t outW() const { return windowOutputs(w, kernelW, strideW, dilationW, padLeft, padRight); }
  int64_t inputs() const { return n * h * w * c; }
  int64_t outputs() const { return n * outH() * outW() * outChannels; }
  int64_t weights() const { return outChannels * (c / groups) * kernelH * kernelW; }
};

}  // namespace faultline::dnn
