// Affine quantization: real = scale · (q − zeroPoint), rounding half to even, zero exactly representable.
#pragma once

#include <cstdint>

#include "abi/limits.h"

namespace faultline {

// Parameters of one quantized range (a tensor, a row, a sample).
struct AffineParams {
  float scale = 1.0f;
  float inverse = 1.0f;  // fl(1 / scale), used by the division-free quotient; 0 asks for a true division
  int32_t zeroPoint = 0;
  int32_t qmax = 255;  // codes are 0 … qmax
};

// Parameters with the inverse that the kernels use for this scale.
AffineParams affineParams(float scale, int32_t zeroPoint, int32_t qmax);

// Asymmetric unsigned parameters of a finite range, as ONNX DynamicQuantizeLinear at 8 bits:
//   min ← min(min, 0), max ← max(max, 0), scale = (max − min) / qmax, zeroPoint = round(clamp(−min / scale, 0, qmax)).
// A range without extent (or whose scale underflows to zero) has scale 1.
AffineParams chooseAsymmetric(float min, float max, int bits);

// Largest code of a symmetric signed b-bit weight: 2^(b−1) − 1. The most negative code is never used.
constexpr int32_t symmetricMax(int bits) { return (1 << (bits - 1)) - 1; }

// reduceRange, as ONNX Runtime defines it for int8 weights: codes −64 … 64 with scale = absMax / 64. Two products of
// such a code with a u8 activation sum to at most 255 · 128 = 32640, which int16 holds.
inline constexpr int32_t kReducedRangeMax = 64;

// scale = absMax / (2^(b−1) − 1); 1 when absMax is zero or the scale underflows.
float chooseSymmetricScale(float absMax, int bits);

// round(w / scale) clamped to ±(2^(b−1) − 1).
int8_t quantizeSymmetric(float w, float scale, int bits);

// The same for any largest code.
float chooseScaleForLargest(float absMax, int32_t largestCode);
int8_t quantizeToLargest(float w, float scale, int32_t largestCode);

}  // namespace faultline
