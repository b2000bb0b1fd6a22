// AVX2: the range scan and the quantization of one row. Part of kernels.cpp, which alone includes it.
#pragma once

#include "kernels/avx2/quotient.h"

namespace faultline {
namespace {

constexpr int64_t kVector = 8;  // 32-bit lanes

struct Range {
  __m256 lo, hi, poison;  // poison: x · 0 is NaN for NaN and infinity, which min and max would drop
  FAULTLINE_INLINE void take(__m256 v) {
    lo = _mm256_min_ps(lo, v);
    hi = _mm256_max_ps(hi, v);
    poison = _mm256_fmadd_ps(v, _mm256_setzero_ps(), poison);
  }
};

bool scanRange_f32_avx2(const float* x, int64_t n, float* min, float* max) {
  const __m256 zero = _mm256_setzero_ps();
  const __m256 lo = _mm256_set1_ps(*min), hi = _mm256_set1_ps(*max);
  Range range[4] = {{lo, hi, zero}, {lo, hi, zero}, {lo, hi, zero}, {lo, hi, zero}};
  if (n >= kVector) {
    int64_t i = 0;
    for (; i + 4 * kVector <= n; i += 4 * kVector) {
      for (int u = 0; u < 4; ++u) range[u].take(_mm256_loadu_ps(x + i + u * kVector));
    }
    for (; i + kVector <= n; i += kVector) range[0].take(_mm256_loadu_ps(x + i));
    range[1].take(_mm256_loadu_ps(x + n - kVector));  // the tail, together with elements seen before
  } else {
    for (int64_t i = 0; i < n; ++i) range[0].take(_mm256_set1_ps(x[i]));
  }
  for (int u = 1; u < 4; ++u) {
    range[0].lo = _mm256_min_ps(range[0].lo, range[u].lo);
    range[0].hi = _mm256_max_ps(range[0].hi, range[u].hi);
    range[0].poison = _mm256_add_ps(range[0].poison, range[u].poison);
  }
  alignas(32) float los[kVector], his[kVector];
  _mm256_store_ps(los, range[0].lo);
  _mm256_store_ps(his, range[0].hi);
  for (int64_t j = 0; j < kVector; ++j) {
    *min = los[j] < *min ? los[j] : *min;
    *max = his[j] > *max ? his[j] : *max;
  }
  return _mm256_movemask_ps(_mm256_cmp_ps(range[0].poison, zero, _CMP_NEQ_UQ)) == 0;
}

template <bool kDivide>
FAULTLINE_INLINE void quantizeRowAs(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                                    int64_t blockStride) {
  constexpr int64_t kStep = 4 * kVector;
  static_assert(2 * kStep == kBlockK);
  const __m256 scale = _mm256_set1_ps(params.scale);
  const __m256 inverse = _mm256_set1_ps(params.inverse);
  const __m256i zeroPoint = _mm256_set1_epi32(params.zeroPoint);
  const __m256i qmax = _mm256_set1_epi8(static_cast<char>(params.qmax));
  // The two packs interleave the 128-bit lanes of the four sources; this puts the 8 dwords back in order.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const auto codes = [&](const float* from) __attribute__((always_inline)) {
    __m256i c[4];
    for (int u = 0; u < 4; ++u) {
      c[u] = code<kDivide>(_mm256_loadu_ps(from + u * kVector), scale, inverse, zeroPoint);
    }
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(c[0], c[1]), _mm256_packs_epi32(c[2], c[3]));
    return _mm256_min_epu8(_mm256_permutevar8x32_epi32(bytes, order), qmax);
  };
  for (int64_t i = 0; i < n; i += kStep) {
    uint8_t* to = out + i / kBlockK * blockStride + i % kBlockK;
    if (i + kStep <= n) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), codes(x + i));
      continue;
    }
    alignas(32) float head[kStep] = {};
    alignas(32) uint8_t bytes[kStep];
    const auto left = static_cast<size_t>(n - i);
    __builtin_memcpy(head, x + i, left * sizeof(float));
    _mm256_store_si256(reinterpret_cast<__m256i*>(bytes), codes(head));
    __builtin_memcpy(to, bytes, left);
  }
}

void quantizeRow_f32_u8_avx2(const float* x, int64_t n, const AffineParams& params, uint8_t* out, int64_t blockStride) {
  if (params.inverse == 0.0f) {
    quantizeRowAs<true>(x, n, params, out, blockStride);
  } else {
    quantizeRowAs<false>(x, n, params, out, blockStride);
  }
}

}  // namespace
}  // namespace faultline
