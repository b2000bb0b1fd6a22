// The quotient that quantization rounds, in AVX-512: shared by the files that quantize rows and depthwise taps.
#pragma once

#include "kernels/avx512_epilogue.h"

namespace faultline {
namespace {

// fl(x / scale) without a division: one Newton step on x · fl(1 / scale) with the exact remainder. Equal to the true
// quotient wherever rounding to an integer shows the difference (test/native/quotient_test.cpp).
template <bool kDivide>
FAULTLINE_INLINE __m512i roundedQuotient(__m512 x, __m512 scale, __m512 inverse) {
  __m512 q;
  if constexpr (kDivide) {
    q = _mm512_div_ps(x, scale);
  } else {
    const __m512 estimate = _mm512_mul_ps(x, inverse);
    q = _mm512_fmadd_ps(_mm512_fnmadd_ps(estimate, scale, x), inverse, estimate);
  }
  return _mm512_cvtps_epi32(q);
}

}  // namespace
}  // namespace faultline
