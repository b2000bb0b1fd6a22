// Two-dimensional convolution in groups, forward and both gradients, on channels-last float32 tensors.
//
//   x: [N, H, W, C]   w: [M, C/groups, kernelH, kernelW] (ONNX's layout)   y: [N, OH, OW, M]
//
// Activations stay in plain channels-last: as fast as oneDNN's blocked layouts, and nothing else need know of those.
// Weights are converted to oneDNN's layout; the copy is kept for as long as the caller says they are the same.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "abi/codes.h"
#include "dnn/engine.h"
#include "dnn/geometry.h"

namespace faultline::dnn {

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

// Primitives for one geometry, made when first used.
class Convolution {
 public:
  Convolution(const ConvGeometry& geometry, ConvMethod method);
  ~Convolution();

  const ConvGeometry& geometry() const { return geometry_; }
  // y = x ∗ w (+ bias [M]) (+ residual, as y), then into the bounds, NaN excepted; bias and residual may be null,
  // bounds infinite. A residual that lies in y itself is not copied there first.
  void forward(const float* x, VersionedWeights w, const float* bias, const float* residual, Bounds bounds, float* y);
  // `again`: the last convolution of this thread was this one's backwardWeights, with the same dy.
  void backwardData(const float* dy, VersionedWeights w, bool again, float* dx);
  // dw as w; db [M] may be null. Results do not depend on the number of threads.
  void backwardWeights(const float* x, const float* dy, float* dw, float* db);

 private:
  struct Forward;
  struct BackwardData;
  struct BackwardWeights;
  void renewForThreads();
  bool mayBeNaN(const float* x, VersionedWeights w, const float* bias, const float* residual);
  Forward& forwardFor(bool bias, bool residual, Bounds bounds);
  std::unique_ptr<BackwardWeights> makeBackwardWeights(bool bias) const;

  ConvGeometry geometry_;
  Window window_;
  Desc x_, y_, w_, bias_;  // as the caller has them
  dnnl::memory::data_type factor_;
  Desc anyX_, anyY_, anyW_;  // as direct products take them
  enum class How { direct, winograd, dense } how_;
  int threads_ = 0;                                  // that forward_ and backwardData_ are made for
  std::array<std::unique_ptr<Forward>, 8> forward_;  // [bias + 2 · bounded + 4 · residual]
  std::unique_ptr<BackwardData> backwardData_;
  std::array<std::unique_ptr<BackwardWeights>, 2> backwardWeights_;  // [bias]
  BackwardWeights* lastWeights_ = nullptr;
  double measured_ = 0;  // version of the weights of which this is the largest magnitude
  float largestWeight_ = 0;
};

}  // namespace faultline::dnn
