// AVX-512 VNNI: depthwise convolution of planes. Part of depthwise.cpp, which alone includes it.
#pragma once

#include "kernels/avx512_epilogue.h"

namespace faultline {
namespace {

void interleaveRows_u8_avx512vnni(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  // Unpacking works inside 128-bit lanes; transposing the 4 × 4 dwords first makes the results come out in order.
  const __m512i transpose = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int64_t i = 0; i < n; i += 64, out += 256) {
    __m512i r[kTapRows];
    for (int64_t t = 0; t < kTapRows; ++t) r[t] = _mm512_permutexvar_epi32(transpose, _mm512_loadu_si512(rows[t] + i));
    const __m512i low01 = _mm512_unpacklo_epi8(r[0], r[1]);
    const __m512i high01 = _mm512_unpackhi_epi8(r[0], r[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(r[2], r[3]);
    const __m512i high23 = _mm512_unpackhi_epi8(r[2], r[3]);
    _mm512_storeu_si512(out, _mm512_unpacklo_epi16(low01, low23));
    _mm512_storeu_si512(out + 64, _mm512_unpackhi_epi16(low01, low23));
    _mm512_storeu_si512(out + 128, _mm512_unpacklo_epi16(high01, high23));
    _mm512_storeu_si512(out + 192, _mm512_unpackhi_epi16(high01, high23));
  }
}

FAULTLINE_INLINE __m512i broadcastColumn(const int8_t* w) {
  int32_t four;
  __builtin_memcpy(&four, w, sizeof four);
  return _mm512_set1_epi32(four);
}

// Σ over the columns of taps · weights, added to c: kVectors · 16 lanes from `lane` on.
template <int kVectors>
FAULTLINE_INLINE void addColumns(const PlaneCall& call, const int8_t* weights, int64_t lane, __m512i (&c)[kVectors]) {
  for (int64_t k = 0; k < call.columns; ++k) {
    const __m512i w = broadcastColumn(weights + kTapRows * k);
    const uint8_t* taps = call.taps + call.offsets[k] + kTapRows * lane;
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) addProducts(c[u], _mm512_loadu_si512(taps + 64 * u), w);
  }
}

template <int kVectors>
FAULTLINE_INLINE void multiplyLanes(const PlaneCall& call, int64_t lane) {
  __m512i c[kVectors];
#pragma GCC unroll 4
  for (int u = 0; u < kVectors; ++u) c[u] = _mm512_set1_epi32(call.init);
  addColumns(call, call.weights, lane, c);
  if (call.ones) {
    __m512i sum[kVectors];
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) sum[u] = _mm512_setzero_si512();
    addColumns(call, call.ones, lane, sum);
    const __m512i zero = _mm512_set1_epi32(call.weightZero);
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) c[u] = _mm512_sub_epi32(c[u], _mm512_mullo_epi32(zero, sum[u]));
  }
  if (call.acc) {
#pragma GCC unroll 4
    for (int u = 0; u < kVectors; ++u) _mm512_storeu_si512(call.acc + lane + 16 * u, c[u]);
    return;
  }
  const __m512 multiplier = _mm512_set1_ps(call.multiplier);
  const __m512 lo = _mm512_set1_ps(call.lo), hi = _mm512_set1_ps(call.hi);
  const __m512i zeroPoint = _mm512_set1_epi32(call.zeroPoint);
#pragma GCC unroll 4
  for (int u = 0; u < kVectors; ++u) {
    // A NaN becomes lo: these two give their second operand then.
    const __m512 v = _mm512_min_ps(_mm512_max_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(c[u]), multiplier), lo), hi);
    const __m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(v), zeroPoint);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(call.codes + lane + 16 * u), _mm512_cvtepi32_epi8(code));
  }
}

void plane_u8s8_s32_avx512vnni(const PlaneCall& shared) {
  const PlaneCall call = shared;  // for all the compiler knows, vector stores might change the other
  int64_t lane = 0;
  for (; lane + 64 <= call.lanes; lane += 64) multiplyLanes<4>(call, lane);
  for (; lane < call.lanes; lane += 16) multiplyLanes<1>(call, lane);
}

}  // namespace
}  // namespace faultline
