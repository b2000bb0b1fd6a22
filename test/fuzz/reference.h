// The numeric contract in plain loops, written from kernels/kernel.h and quant/affine.h alone: what the fuzzers compare
// the operations with, bit for bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/kernel.h"

namespace faultline::fuzz {

struct Quantized {
  std::vector<int32_t> centred;  // code − zeroPoint
  float scale;
  int32_t zeroPoint;
};

inline void extendRange(const float* x, int64_t n, float* min, float* max) {
  for (int64_t i = 0; i < n; ++i) {
    *min = x[i] < *min ? x[i] : *min;
    *max = x[i] > *max ? x[i] : *max;
  }
}

// The range holds zero. A quotient is rounded to fp32 first; division in double and one more rounding give the same.
inline Quantized quantize(const float* x, int64_t n, float min, float max, int bits) {
  const int qmax = (1 << bits) - 1;
  float scale = (max - min) / static_cast<float>(qmax);
  if (std::isinf(scale)) scale = static_cast<float>((double{max} - double{min}) / qmax);
  if (scale == 0.0f) scale = 1.0f;
  const float exactZero = std::min(std::max(-min / scale, 0.0f), static_cast<float>(qmax));
  Quantized q;
  q.scale = scale;
  q.zeroPoint = static_cast<int32_t>(std::nearbyint(exactZero));
  for (int64_t i = 0; i < n; ++i) {
    const double rounded = std::nearbyint(static_cast<float>(double{x[i]} / double{scale}));
    const double code = std::min(std::max(rounded + q.zeroPoint, 0.0), static_cast<double>(qmax));
    q.centred.push_back(static_cast<int32_t>(code) - q.zeroPoint);
  }
  return q;
}

// One output element from the accumulators of its scale groups; groupScale[g] belongs to accumulators[g].
inline float dequantize(const std::vector<int32_t>& accumulators, const std::vector<float>& groupScale, float rowScale,
                        bool byGroup, float bias, const float* residual, float clipMin, float clipMax) {
  float y;
  if (byGroup) {
    float t = 0.0f;
    for (size_t g = 0; g < accumulators.size(); ++g)
      t = std::fma(static_cast<float>(accumulators[g]), groupScale[g], t);
    y = std::fma(t, rowScale, bias);
  } else {
    y = std::fma(static_cast<float>(accumulators[0]), rowScale * groupScale[0], bias);
  }
  if (residual) y = y + *residual;
  y = y < clipMin ? clipMin : y;
  return y > clipMax ? clipMax : y;
}

inline bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace faultline::fuzz
