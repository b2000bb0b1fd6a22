// AVX2: products of four taps a lane, for depthwise convolution of pixels and of planes.
#pragma once

#include "kernels/avx2/quotient.h"

namespace faultline {
namespace {

constexpr int64_t kVector = 8;

FAULTLINE_INLINE __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

// The four weights of eight lanes: bytes 0 and 2, bytes 1 and 3, with their signs as 16 bits.
struct Weights {
  __m256i even, odd;
};
FAULTLINE_INLINE Weights split(__m256i bytes) {
  return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
}
FAULTLINE_INLINE __m256i add(__m256i c, __m256i bytes, const Weights& w) {
  const __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(255));
  const __m256i odd = _mm256_srli_epi16(bytes, 8);
  return _mm256_add_epi32(c, _mm256_add_epi32(_mm256_madd_epi16(even, w.even), _mm256_madd_epi16(odd, w.odd)));
}

}  // namespace
}  // namespace faultline
