// NEON: depthwise convolution; a 32-bit lane is one channel, its four bytes are four vertical taps. An ISA file gives
//
//   struct Dot
//     add(c, taps, weights)     c + Σ (taps − kOffset) · weights, four bytes a lane
//     kOffset                   0, or 128 where taps have to be signed
#pragma once

#include "kernels/neon/epilogue.h"

namespace faultline {
namespace {

void interleaveRows(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n; i += 16, out += 64) {
    vst4q_u8(out, {{vld1q_u8(rows[0] + i), vld1q_u8(rows[1] + i), vld1q_u8(rows[2] + i), vld1q_u8(rows[3] + i)}});
  }
}

// The window's columns, group by group: fn(tap address at pixel 0, weights of four channels).
template <class Fn>
FAULTLINE_INLINE void forEachTap(const DepthwiseCall& call, int64_t channel, int64_t padded, Fn&& fn) {
  for (int64_t g = 0; g < call.rowGroups; ++g) {
    for (int64_t kw = 0; kw < call.kernelW; ++kw) {
      fn(call.taps[g] + (kw * call.tapStep + channel) * kTapRows,
         vld1q_s8(call.weights + ((g * call.kernelW + kw) * padded + channel) * kTapRows));
    }
  }
}

template <class Dot>
void row(const DepthwiseCall& call) {
  constexpr int kPixels = 4;  // at a time: a weight is loaded once for them
  const int64_t padded = (call.channels + kPanel - 1) / kPanel * kPanel;
  const int64_t pixelBytes = call.pixelStep * kTapRows;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const int64_t count = call.channels - channel;
    int32x4_t init = vld1q_s32(call.init + channel);
    if constexpr (Dot::kOffset != 0) {
      forEachTap(
          call, channel, padded, [&](const uint8_t*, int8x16_t w) __attribute__((always_inline)) {
            init = vmlaq_n_s32(init, vpaddlq_s16(vpaddlq_s8(w)), Dot::kOffset);
          });
    }
    const float32x4_t scale = call.acc ? vdupq_n_f32(0.0f) : vld1q_f32(call.scale + channel);
    const float32x4_t bias = biasOf(call.epilogue, channel, count);
    for (int64_t pixel = 0; pixel < call.pixels; pixel += kPixels) {
      const int64_t pixels = call.pixels - pixel < kPixels ? call.pixels - pixel : kPixels;
      int32x4_t c[kPixels] = {init, init, init, init};
      forEachTap(
          call, channel, padded, [&](const uint8_t* taps, int8x16_t w) __attribute__((always_inline)) {
            const uint8_t* first = taps + pixel * pixelBytes;
            for (int64_t i = 0; i < pixels; ++i) c[i] = Dot::add(c[i], vld1q_u8(first + i * pixelBytes), w);
          });
      for (int64_t i = 0; i < pixels; ++i) {
        const int64_t index = (pixel + i) * call.channels + channel;
        if (call.acc) {
          storeHead(call.acc + index, c[i], count);
        } else {
          finish(call.epilogue, vfmaq_f32(bias, vcvtq_f32_s32(c[i]), scale), call.out, index, count);
        }
      }
    }
  }
}

}  // namespace
}  // namespace faultline
