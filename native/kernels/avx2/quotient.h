// AVX2: the code of a quotient, for rows and for depthwise taps.
#pragma once

#include <immintrin.h>

#include "kernels/kernel.h"

#define FAULTLINE_INLINE [[gnu::always_inline]] inline

namespace faultline {
namespace {

// fl(x / scale) without a division: one Newton step on x · fl(1 / scale) with the exact remainder. Equal to the true
// quotient wherever rounding to an integer shows the difference (test/native/quotient_test.cpp).
template <bool kDivide>
FAULTLINE_INLINE __m256i code(__m256 x, __m256 scale, __m256 inverse, __m256i zeroPoint) {
  __m256 q;
  if constexpr (kDivide) {
    q = _mm256_div_ps(x, scale);
  } else {
    const __m256 estimate = _mm256_mul_ps(x, inverse);
    q = _mm256_fmadd_ps(_mm256_fnmadd_ps(estimate, scale, x), inverse, estimate);
  }
  return _mm256_add_epi32(_mm256_cvtps_epi32(q), zeroPoint);
}

}  // namespace
}  // namespace faultline
