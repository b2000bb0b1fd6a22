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

enum class Method {
  direct,
  // Winograd's F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308) where it pays and oneDNN has it (2.6 with AVX-512), else
  // direct: 2.25 to 4 times fewer multiplications, and an error of some 1e-5 of the largest result. For training.
  winograd,
  // bfloat16 factors, float32 sums.
  bf16,
  last = bf16
};

// Primitives for one geometry, made when first used.
class Convolution {
 public:
  Convolution(const ConvGeometry& geometry, Method method);
  ~Convolution();

  const ConvGeometry& geometry() const { return geometry_; }
  // y = x ∗ w (+ bias [M]) (+ residual, as y), then into the bounds; bias and residual may be null, bounds infinite. A
  // residual that lies in y itself is not copied there first.
  void forward(const float* x, VersionedWeights w, const float* bias, const float* residual, Bounds bounds, float* y);
  // `again`: the last convolution of this thread was this one's backwardWeights, with the same dy.
  void backwardData(const float* dy, VersionedWeights w, bool again, float* dx);
  // dw as w; db [M] may be null.
  void backwardWeights(const float* x, const float* dy, float* dw, float* db);

 private:
  struct Forward;
  struct BackwardData;
  struct BackwardWeights;
  void renewForThreads();
  Forward& forwardFor(bool bias, bool residual, Bounds bounds);
  template <typename Describe>
  auto described(bool winograd, Describe&& describe) const;

  ConvGeometry geometry_;
  Window window_;
  Desc x_, y_, w_, bias_;    // as the caller has them
  Desc anyX_, anyY_, anyW_;  // as direct products take them
  Desc freeX_, freeY_;       // in any layout, for Winograd's
  bool winograd_;
  int threads_ = 0;                                  // that the primitives below are made for
  std::array<std::unique_ptr<Forward>, 8> forward_;  // [bias + 2 · bounded + 4 · residual]
  std::unique_ptr<BackwardData> backwardData_;
  std::array<std::unique_ptr<BackwardWeights>, 2> backwardWeights_;  // [bias]
  BackwardWeights* lastWeights_ = nullptr;
};

}  // namespace faultline::dnn
