// NEON: the code of a quotient, for rows and for depthwise taps.
#pragma once

#include "kernels/neon/epilogue.h"

namespace faultline {
namespace {

// fl(x / scale) without a division: one Newton step on x · fl(1 / scale) with the exact remainder. Equal to the true
// quotient wherever rounding to an integer shows the difference (test/native/quotient_test.cpp).
template <bool kDivide>
FAULTLINE_INLINE int32x4_t code(float32x4_t x, float32x4_t scale, float32x4_t inverse, int32x4_t zeroPoint) {
  float32x4_t q;
  if constexpr (kDivide) {
    q = vdivq_f32(x, scale);
  } else {
    const float32x4_t estimate = vmulq_f32(x, inverse);
    q = vfmaq_f32(estimate, vfmsq_f32(x, estimate, scale), inverse);
  }
  return vaddq_s32(vcvtnq_s32_f32(q), zeroPoint);
}

}  // namespace
}  // namespace faultline
