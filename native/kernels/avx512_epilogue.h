// From 16 accumulators of one row to 16 outputs, in AVX-512: shared by the files that are compiled for it (avx512vnni,
// amx_int8). Everything has internal linkage, so that no function built for AVX-512 can be picked for another CPU.
#pragma once

#include <immintrin.h>

#include "kernels/kernel.h"

#define FAULTLINE_INLINE [[gnu::always_inline]] inline

namespace faultline {
namespace {

constexpr int64_t kVector = 16;

// The first `count` lanes.
FAULTLINE_INLINE __mmask16 headMask(int64_t count) {
  return count >= kVector ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
}

// acc += the products of u8 and s8 in groups of four: the intrinsic, but always in place. Around loops the compiler
// would copy and spill accumulators otherwise.
FAULTLINE_INLINE void addProducts(__m512i& acc, __m512i u8, __m512i s8) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "v"(s8));
}

// int4 kernels multiply with 16 · w.
template <bool kInt4>
FAULTLINE_INLINE __m512i trueSum(__m512i acc) {
  return kInt4 ? _mm512_srai_epi32(acc, 4) : acc;
}

// (zeroPoint, 128 · zeroPoint) in 16-bit halves: one vpdpwssd with PackedMatrix::sumPairs adds −zeroPoint · sum.
FAULTLINE_INLINE __m512i zeroPair(int32_t zeroPoint) {
  const uint32_t zero = static_cast<uint32_t>(zeroPoint);
  return _mm512_set1_epi32(static_cast<int32_t>(zero | (zero * 128) << 16));
}

// Without limits a clip changes nothing; on Zen 4 it costs as much as the rest of the way to the output.
FAULTLINE_INLINE bool clips(const Epilogue& e) { return e.clipMin > -__builtin_inff() || e.clipMax < __builtin_inff(); }

FAULTLINE_INLINE __m512 clip(__m512 y, __m512 lo, __m512 hi) { return _mm512_min_ps(hi, _mm512_max_ps(lo, y)); }

// Residual, clip and store of 16 channels of one row: y already holds the dequantized product plus bias.
FAULTLINE_INLINE void finish(const GemmCall& call, __m512 y, int64_t index, __mmask16 mask) {
  if (call.epilogue.residual) {
    y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, call.epilogue.residual + index));
  }
  y = clip(y, _mm512_set1_ps(call.epilogue.clipMin), _mm512_set1_ps(call.epilogue.clipMax));
  _mm512_mask_storeu_ps(call.out + index, mask, y);
}

// What the 16 channels of a panel need, whatever the row.
struct PanelTerms {
  PanelTerms() = default;
  int64_t channel;
  __mmask16 mask;
  __m512i sums;
  __m512 scales;
  __m512 bias;
  // zeroPoint · sums and rowScale · scales: of the last setRow, or of all rows when they have the same parameters.
  __m512i zero;
  __m512 rowScales;

  FAULTLINE_INLINE PanelTerms(const GemmCall& call, int64_t panel)
      : channel(panel * kPanel),
        mask(headMask(call.weights->n - channel)),
        sums(_mm512_loadu_si512(call.sums + channel)),
        scales(_mm512_load_ps(call.weights->scales.data() + channel)),
        bias(call.epilogue.bias ? _mm512_maskz_loadu_ps(mask, call.epilogue.bias + channel) : _mm512_setzero_ps()) {
    if (call.sameParams) setRow(call, 0);
  }

  FAULTLINE_INLINE void setRow(const GemmCall& call, int64_t row) {
    zero = _mm512_mullo_epi32(sums, _mm512_set1_epi32(call.zeroPoint[row]));
    if (call.out) rowScales = _mm512_mul_ps(_mm512_set1_ps(call.rowScale[row]), scales);
  }
};

// Scales by group: total + float(group sum) · scale, for the 16 channels at `at` in sumPairs and scales.
template <bool kInt4>
FAULTLINE_INLINE __m512 addGroup(const PackedMatrix& w, int64_t at, __m512i acc, __m512i zeroPoints, __m512 total) {
  const __m512i pairs = _mm512_load_si512(w.sumPairs.data() + at);
  const __m512i c = _mm512_dpwssd_epi32(trueSum<kInt4>(acc), pairs, zeroPoints);
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(c), _mm512_load_ps(w.scales.data() + at), total);
}

FAULTLINE_INLINE void storeGrouped(const GemmCall& call, const PanelTerms& terms, int64_t row, __m512 total) {
  const __m512 y = _mm512_fmadd_ps(total, _mm512_set1_ps(call.rowScale[row]), terms.bias);
  finish(call, y, row * call.ld + terms.channel, terms.mask);
}

}  // namespace
}  // namespace faultline
