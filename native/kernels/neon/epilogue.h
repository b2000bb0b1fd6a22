// NEON: vectors of four channels, and what follows y = fma(c, scale, bias), for products and depthwise convolution.
// The headers of this folder are included by the files of neon_dotprod and neon_i8mm; each compiles a copy.
#pragma once

#include <arm_neon.h>

#include "kernels/kernel.h"

#define FAULTLINE_INLINE [[gnu::always_inline]] inline

namespace faultline {
namespace {

constexpr int64_t kVector = 4;  // 32-bit lanes

// NEON has no masked access: the last 1 … 3 elements go through the stack.
FAULTLINE_INLINE float32x4_t loadHead(const float* p, int64_t count) {
  if (count >= kVector) return vld1q_f32(p);
  float head[kVector] = {};
  for (int64_t i = 0; i < count; ++i) head[i] = p[i];
  return vld1q_f32(head);
}
FAULTLINE_INLINE void storeHead(float* p, float32x4_t v, int64_t count) {
  if (count >= kVector) return vst1q_f32(p, v);
  float head[kVector];
  vst1q_f32(head, v);
  for (int64_t i = 0; i < count; ++i) p[i] = head[i];
}
FAULTLINE_INLINE void storeHead(int32_t* p, int32x4_t v, int64_t count) {
  if (count >= kVector) return vst1q_s32(p, v);
  int32_t head[kVector];
  vst1q_s32(head, v);
  for (int64_t i = 0; i < count; ++i) p[i] = head[i];
}

// Residual, clip and store of up to four channels. Compare and select, since vmaxq orders −0 below +0 and the
// definition (kernel.h) takes y < clipMin ? clipMin : y.
FAULTLINE_INLINE void finish(const Epilogue& e, float32x4_t y, float* out, int64_t index, int64_t count) {
  if (e.residual) y = vaddq_f32(y, loadHead(e.residual + index, count));
  const float32x4_t lo = vdupq_n_f32(e.clipMin), hi = vdupq_n_f32(e.clipMax);
  y = vbslq_f32(vcltq_f32(y, lo), lo, y);
  y = vbslq_f32(vcgtq_f32(y, hi), hi, y);
  storeHead(out + index, y, count);
}

FAULTLINE_INLINE float32x4_t biasOf(const Epilogue& e, int64_t channel, int64_t count) {
  return e.bias ? loadHead(e.bias + channel, count) : vdupq_n_f32(0.0f);
}

}  // namespace
}  // namespace faultline
