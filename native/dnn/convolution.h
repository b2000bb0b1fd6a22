// Two-dimensional convolution in groups, forward and both gradients, on channels-last float32 tensors.
//
//   x: [N, H, W, C]   w: [M, C/groups, kernelH, kernelW] (ONNX's layout)   y: [N, OH, OW, M]
//
// Activations stay in plain channels-last: as fast as oneDNN's blocked layouts, and nothing else need know of those.
// Weights are brought to oneDNN's own layout; the copy is kept for as long as the caller says they are the same.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "dnn/engine.h"

namespace faultline::dnn {

struct ConvGeometry {
  int64_t n, h, w, c;
  int64_t outChannels, kernelH, kernelW;
  int64_t strideH, strideW;
  int64_t padTop, padLeft, padBottom, padRight;
  int64_t dilationH, dilationW;  // 1 is dense
  int64_t groups;

  int64_t outH() const { return (h + padTop + padBottom - (kernelH - 1) * dilationH - 1) / strideH + 1; }
  int64_t outW() const { return (w + padLeft + padRight - (kernelW - 1) * dilationW - 1) / strideW + 1; }
  int64_t inputs() const { return n * h * w * c; }
  int64_t outputs() const { return n * outH() * outW() * outChannels; }
  int64_t weights() const { return outChannels * (c / groups) * kernelH * kernelW; }
};

// Weights with a number that changes whenever their values do; 0 says nothing about them.
struct VersionedWeights {
  const float* data;
  double version;
};

// What a result is brought into: [0, infinity] is a ReLU.
struct Bounds {
  float low, high;
  bool operator==(const Bounds&) const = default;
  bool none() const { return low == -std::numeric_limits<float>::infinity() && high == -low; }
};
inline constexpr Bounds kUnbounded{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

// Primitives for one geometry, made when first used. With bf16 the products take bfloat16 factors and sum in float32.
class Convolution {
 public:
  Convolution(const ConvGeometry& geometry, bool bf16);
  ~Convolution();

  const ConvGeometry& geometry() const { return geometry_; }
  // y = x ∗ w (+ bias [M]), then into the bounds; bias may be null, bounds infinite.
  void forward(const float* x, VersionedWeights w, const float* bias, Bounds bounds, float* y);
  void backwardData(const float* dy, VersionedWeights w, float* dx);
  // dw as w; db [M] may be null.
  void backwardWeights(const float* x, const float* dy, float* dw, float* db);

 private:
  struct Forward;
  struct BackwardData;
  struct BackwardWeights;
  void renewForThreads();
  Forward& forwardFor(bool bias, Bounds bounds);

  ConvGeometry geometry_;
  Window window_;
  Desc x_, y_, w_, bias_;                            // as the caller has them
  Desc anyX_, anyY_, anyW_;                          // as the products take them
  int threads_ = 0;                                  // that the primitives below are made for
  std::array<std::unique_ptr<Forward>, 4> forward_;  // [bias + 2 · bounded]
  std::unique_ptr<BackwardData> backwardData_;
  std::array<std::unique_ptr<BackwardWeights>, 2> backwardWeights_;  // [bias]
};

}  // namespace faultline::dnn
