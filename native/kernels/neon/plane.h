// NEON: depthwise convolution of planes, with the Dot of kernels/neon/depthwise.h.
#pragma once

#include "kernels/neon/epilogue.h"

namespace faultline {
namespace {

void interleaveRows_u8_neon(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n; i += 16, out += 64) {
    vst4q_u8(out, {{vld1q_u8(rows[0] + i), vld1q_u8(rows[1] + i), vld1q_u8(rows[2] + i), vld1q_u8(rows[3] + i)}});
  }
}

constexpr int kPlaneVectors = 4;

// Σ over the columns of taps · weights, added to c: 16 lanes from `lane` on.
template <class Dot>
FAULTLINE_INLINE void addColumns(const PlaneCall& call, const int8_t* weights, int64_t lane,
                                 int32x4_t (&c)[kPlaneVectors]) {
  for (int64_t k = 0; k < call.columns; ++k) {
    int32_t four;
    __builtin_memcpy(&four, weights + kTapRows * k, sizeof four);
    const int8x16_t w = vreinterpretq_s8_s32(vdupq_n_s32(four));
    const int32x4_t offset = vmulq_n_s32(vpaddlq_s16(vpaddlq_s8(w)), Dot::kOffset);
    const uint8_t* taps = call.taps + call.offsets[k] + kTapRows * lane;
    for (int u = 0; u < kPlaneVectors; ++u) c[u] = Dot::add(vaddq_s32(c[u], offset), vld1q_u8(taps + 16 * u), w);
  }
}

template <class Dot>
void multiplyPlane(const PlaneCall& call) {
  for (int64_t lane = 0; lane < call.lanes; lane += kPlaneVectors * kVector) {
    const int32x4_t init = vdupq_n_s32(call.init), none = vdupq_n_s32(0);
    int32x4_t c[kPlaneVectors] = {init, init, init, init};
    addColumns<Dot>(call, call.weights, lane, c);
    if (call.ones) {
      int32x4_t sum[kPlaneVectors] = {none, none, none, none};
      addColumns<Dot>(call, call.ones, lane, sum);
      for (int u = 0; u < kPlaneVectors; ++u) c[u] = vmlsq_n_s32(c[u], sum[u], call.weightZero);
    }
    if (call.acc) {
      for (int u = 0; u < kPlaneVectors; ++u) vst1q_s32(call.acc + lane + kVector * u, c[u]);
      continue;
    }
    const float32x4_t lo = vdupq_n_f32(call.lo), hi = vdupq_n_f32(call.hi);
    uint16x4_t codes[kPlaneVectors];
    for (int u = 0; u < kPlaneVectors; ++u) {
      // Compare and select, so that a NaN becomes lo.
      float32x4_t v = vmulq_n_f32(vcvtq_f32_s32(c[u]), call.multiplier);
      v = vbslq_f32(vcgtq_f32(v, lo), v, lo);
      v = vbslq_f32(vcltq_f32(v, hi), v, hi);
      codes[u] = vmovn_u32(vreinterpretq_u32_s32(vaddq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(call.zeroPoint))));
    }
    const uint8x8_t low = vmovn_u16(vcombine_u16(codes[0], codes[1]));
    vst1q_u8(call.codes + lane, vcombine_u8(low, vmovn_u16(vcombine_u16(codes[2], codes[3]))));
  }
}

}  // namespace
}  // namespace faultline
