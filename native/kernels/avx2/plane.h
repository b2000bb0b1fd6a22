// AVX2: depthwise convolution of planes. Part of depthwise.cpp, which alone includes it.
#pragma once

#include "kernels/avx2/taps.h"

namespace faultline {
namespace {

void interleaveRows_u8_avx2(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n; i += 16, out += 64) {
    __m128i r[kTapRows];
    for (int64_t t = 0; t < kTapRows; ++t) r[t] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[t] + i));
    const __m128i low01 = _mm_unpacklo_epi8(r[0], r[1]);
    const __m128i high01 = _mm_unpackhi_epi8(r[0], r[1]);
    const __m128i low23 = _mm_unpacklo_epi8(r[2], r[3]);
    const __m128i high23 = _mm_unpackhi_epi8(r[2], r[3]);
    auto* to = reinterpret_cast<__m128i*>(out);
    _mm_storeu_si128(to, _mm_unpacklo_epi16(low01, low23));
    _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(low01, low23));
    _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(high01, high23));
    _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(high01, high23));
  }
}

// The weights of one column for every lane.
FAULTLINE_INLINE Weights splitColumn(const int8_t* w) {
  int32_t four;
  __builtin_memcpy(&four, w, sizeof four);
  return split(_mm256_set1_epi32(four));
}

// Σ over the columns of taps · weights, added to c: kVectors · 8 lanes from `lane` on.
template <int kVectors>
FAULTLINE_INLINE void addColumns(const PlaneCall& call, const int8_t* weights, int64_t lane, __m256i (&c)[kVectors]) {
  for (int64_t k = 0; k < call.columns; ++k) {
    const Weights w = splitColumn(weights + kTapRows * k);
    const uint8_t* taps = call.taps + call.offsets[k] + kTapRows * lane;
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) c[u] = add(c[u], load(taps + 32 * u), w);
  }
}

template <int kVectors>
FAULTLINE_INLINE void multiplyLanes(const PlaneCall& call, int64_t lane) {
  __m256i c[kVectors];
#pragma GCC unroll 4
  for (int u = 0; u < kVectors; ++u) c[u] = _mm256_set1_epi32(call.init);
  addColumns(call, call.weights, lane, c);
  if (call.ones) {
    __m256i sum[kVectors];
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) sum[u] = _mm256_setzero_si256();
    addColumns(call, call.ones, lane, sum);
    const __m256i zero = _mm256_set1_epi32(call.weightZero);
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) c[u] = _mm256_sub_epi32(c[u], _mm256_mullo_epi32(zero, sum[u]));
  }
  if (call.acc) {
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(call.acc + lane + kVector * u), c[u]);
    }
    return;
  }
  const __m256 multiplier = _mm256_set1_ps(call.multiplier);
  const __m256 lo = _mm256_set1_ps(call.lo), hi = _mm256_set1_ps(call.hi);
  const __m256i zeroPoint = _mm256_set1_epi32(call.zeroPoint);
#pragma GCC unroll 4
  for (int u = 0; u < kVectors; ++u) {
    // A NaN becomes lo: these two give their second operand then.
    const __m256 v = _mm256_min_ps(_mm256_max_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(c[u]), multiplier), lo), hi);
    const __m256i low = _mm256_and_si256(_mm256_add_epi32(_mm256_cvtps_epi32(v), zeroPoint), _mm256_set1_epi32(255));
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(call.codes + lane + kVector * u), _mm_packus_epi16(words, words));
  }
}

void plane_u8s8_s32_avx2(const PlaneCall& shared) {
  const PlaneCall call = shared;  // for all the compiler knows, vector stores might change the other
  int64_t lane = 0;
  for (; lane + 4 * kVector <= call.lanes; lane += 4 * kVector) multiplyLanes<4>(call, lane);
  for (; lane < call.lanes; lane += kVector) multiplyLanes<1>(call, lane);
}

}  // namespace
}  // namespace faultline
