// The activations of an error profile: samples split into codes, rounding errors and clipping errors, and the windows
// of a convolution gathered from them as rows of a matrix. error_profile.cpp is its only caller.
#pragma once

#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "kernels/profile_kernels.h"
#include "ops/conv2d.h"

namespace faultline {

// What an activation's quantization did, over all samples seen. Elements of the samples, not of the windows.
struct ActivationErrors {
  int64_t samples = 0;  // ranges quantized
  int64_t elements = 0;
  SplitSums sums;               // in units of the scale
  double unusedRange = 0.0;     // Σ over samples of 1 − (largest code − smallest code) / qmax
  int64_t histogram[256] = {};  // of codes
};

// [n, h, w, c], and how windows move over it. A matrix product is n rows of one pixel with c = K.
struct SampleShape {
  int64_t h = 1, w = 1, c = 1;
  int64_t kernelH = 1, kernelW = 1;
  int64_t outH = 1, outW = 1;
  Conv2dWindow window;

  int64_t floats() const { return h * w * c; }
  int64_t outPixels() const { return outH * outW; }
};

struct SampleRange {
  float min = 0.0f;
  float max = 0.0f;
};

// The ranges of n samples of `floats` elements each, zero not included; false when sample *bad holds NaN or infinity.
bool scanSamples(const float* x, int64_t n, int64_t floats, SampleRange* ranges, int64_t* bad);

class SampleBatch {
 public:
  SampleBatch(const SampleShape& shape, int64_t capacity);

  // Quantizes `count` samples with params[count] and adds what happened to `errors`.
  void quantize(const float* x, int64_t count, const SampleRange* ranges, const AffineParams* params,
                const ProfileKernels& kernels, ActivationErrors* errors);

  // Window `pixel` (counted through all samples of the batch): taps × channels [begin, begin + channels), one tap every
  // tapStep elements; each channel `repeat` times. Padding is 0, and the zero point of codes.
  struct Channels {
    int64_t begin;
    int64_t count;
    int64_t repeat;
    int64_t tapStep;
  };
  void gather(int64_t pixel, const Channels& channels, float* x, float* rounding, float* clipping,
              uint8_t* codes) const;

  bool clips() const { return clips_; }  // any element of the batch was clipped
  const AffineParams& params(int64_t pixel) const { return params_[pixel / shape_.outPixels()]; }

 private:
  SampleShape shape_;
  const float* x_ = nullptr;
  const AffineParams* params_ = nullptr;
  bool clips_ = false;
  AlignedBuffer<uint8_t> codes_;
  AlignedBuffer<float> rounding_;
  AlignedBuffer<float> clipping_;
};

}  // namespace faultline
