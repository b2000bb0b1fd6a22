// Where the error of one quantized matrix product or convolution comes from, against fp32, by output channel.
//
// With x̂ = x + e_r + e_c (rounding, clipping), ŵ = w + e_w, and the quantized output ŷ of the integer engine:
//
//   ŷ − y = e_r·w  +  e_c·w  +  x·e_w  +  (e_r + e_c)·e_w  +  (saturated − exact)
//
// Samples are fed in batches of any size and nothing is kept but sums, so that memory does not grow with them. Results
// do not depend on the threads, the instruction set or the batches (except with perTensor ranges, which are the range
// of a batch): channels add up sample by sample, pixel by pixel, in fp64.
//
// Precision. e_r, e_c and e_w are computed in fp64 and rounded once to fp32, each product is a chain of K fp32 fused
// multiply-adds, so a term differs from its true value by at most γ(K + 1) · Σ_k |a_k · b_k| with γ(n) = n · 2^-24 /
// (1 − n · 2^-24), a and b its two factors, and the fp32 output y by γ(K). ŷ is the engine's output, bit
// for bit, before bias and activation function: the exact sum within 2^-22 of its size (three roundings; with scales by
// group, one more for each group).
#pragma once

#include <cstdint>
#include <vector>

#include "abi/codes.h"
#include "core/status.h"
#include "kernels/profile_kernels.h"
#include "ops/conv2d.h"
#include "ops/profile_samples.h"
#include "quant/packed_matrix.h"

namespace faultline {

struct ErrorProfileOptions {
  int weightBits = 8;
  int64_t blockSize = 0;  // as quantizeWeights
  bool reduceRange = false;
  int activationBits = 8;
  RangeSource range = RangeSource::perSample;
  float min = 0.0f;  // fixed range: values beyond are clipped; zero is included
  float max = 0.0f;
  bool saturating16 = false;
};

struct WeightErrors {
  std::vector<double> roundingSquared;  // [OC], in units of the scale
  std::vector<int32_t> smallest;        // [OC] codes
  std::vector<int32_t> largest;         // [OC]
  int32_t largestCode = 127;            // histogram[code + largestCode]
  std::vector<int64_t> histogram;
};

class ErrorProfile {
 public:
  // w: [OC, KH, KW, C / groups], finite; a matrix [N, K] is {N, 1, 1, K, 1}.
  ErrorProfile(const float* w, const ConvWeightShape& shape, const ErrorProfileOptions& options);

  // x: [n, h, w, C]. Refuses NaN and infinity (naming the sample) and windows that do not fit; then nothing was added.
  Status add(const float* x, int64_t n, int64_t h, int64_t w, const Conv2dWindow& window, const char* operation);

  const ConvWeightShape& shape() const { return shape_; }
  const ErrorProfileOptions& options() const { return options_; }
  int64_t outputs() const { return outputs_; }  // of each channel
  const ActivationErrors& activations() const { return activations_; }
  const WeightErrors& weights() const { return weights_; }
  const std::vector<int64_t>& saturations() const { return saturations_; }  // [OC]
  double sum(int64_t channel, int which) const;                             // which: ProfileSum

 private:
  struct Chunk;
  // One input channel a group: channels are the lanes and windows are not gathered apart, as in the engine.
  bool isDepthwise() const { return shape_.groups > 1 && shape_.groupChannels == 1 && options_.blockSize <= 0; }
  int64_t blocksOfChannels() const { return isDepthwise() ? 1 : shape_.groups; }
  void addWeights(const float* w);
  void packPanels(const float* w);
  float scaleOf(int64_t channel, int64_t k) const;
  AffineParams choose(const SampleRange& range) const;
  void addPixels(const SampleBatch& batch, int64_t pixels);
  void gather(const SampleBatch& batch, Chunk* chunk) const;
  void multiply(Chunk* chunk, int64_t firstPanel, int64_t lastPanel);
  void multiplyPanel(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel, int64_t firstPanel);
  void accumulate(Chunk& chunk, int64_t panel, int64_t firstPanel);
  void quantizedOutput(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel);
  void quantizedDepthwise(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel) const;

  ConvWeightShape shape_;
  ErrorProfileOptions options_;
  int64_t panelsPerGroup_ = 0;         // depthwise: of all channels together
  std::vector<PackedMatrix> groups_;   // the engine's weights; empty when depthwise
  std::vector<int8_t> codes_;          // [OC, K]
  std::vector<float> scales_;          // [scaleGroups, OC]
  AlignedBuffer<float> panelWeights_;  // [panels][K][kProfileLanes]
  std::vector<double> sums_;           // [panels][kProfileSums][16]
  std::vector<int64_t> saturations_;   // [OC]
  int64_t outputs_ = 0;
  ActivationErrors activations_;
  WeightErrors weights_;
};

}  // namespace faultline
