// NEON: depthwise convolution; a 32-bit lane is one channel, its four bytes are four vertical taps. An ISA file gives
//
//   struct Dot
//     add(c, taps, weights)     c + Σ (taps − kOffset) · weights, four bytes a lane
//     kOffset                   0, or 128 where taps have to be signed
#pragma once

#include "kernels/neon/quotient.h"

namespace faultline {
namespace {

template <bool kDivide>
void quantizeTapsAs(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  constexpr int64_t kStep = 4 * kVector;
  const int32x4_t zeroPoint = vdupq_n_s32(params.zeroPoint);
  const uint8x16_t qmax = vdupq_n_u8(static_cast<uint8_t>(params.qmax));
  for (int64_t i = 0; i < n; i += kStep) {
    uint8x16x4_t bytes;
    for (int64_t r = 0; r < kTapRows; ++r) {
      // Any row counts as zeros when it is multiplied by 0, or divided by infinity.
      const float32x4_t scale = vdupq_n_f32(kDivide && !rows.inside[r] ? __builtin_inff() : params.scale);
      const float32x4_t inverse = vdupq_n_f32(rows.inside[r] ? params.inverse : 0.0f);
      const float* x = rows.x[r] + i;
      uint16x4_t c[4];
      for (int u = 0; u < 4; ++u) {
        const int64_t left = n - i - u * kVector;
        const float32x4_t v = left > 0 ? loadHead(x + u * kVector, left) : vdupq_n_f32(0.0f);
        c[u] = vqmovun_s32(code<kDivide>(v, scale, inverse, zeroPoint));
      }
      bytes.val[r] =
          vminq_u8(vcombine_u8(vqmovn_u16(vcombine_u16(c[0], c[1])), vqmovn_u16(vcombine_u16(c[2], c[3]))), qmax);
    }
    if (n - i >= kStep) {
      vst4q_u8(out + kTapRows * i, bytes);
    } else {
      uint8_t head[kTapRows * kStep];
      vst4q_u8(head, bytes);
      for (int64_t j = 0; j < kTapRows * (n - i); ++j) out[kTapRows * i + j] = head[j];
    }
  }
}

void quantizeTaps_f32_u8_neon(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  params.inverse == 0.0f ? quantizeTapsAs<true>(rows, n, params, out) : quantizeTapsAs<false>(rows, n, params, out);
}

// One output row.
struct Row {
  const uint8_t* const* taps;  // of the row group where its windows begin
  const int8_t* weights;
  int64_t index;  // of its first output
};

// Four rows of taps: a row group, or (kHalves) the lower half of one and the upper half of the next.
template <bool kHalves>
FAULTLINE_INLINE uint8x16_t loadTaps(const uint8_t* const* taps, int64_t offset) {
  const uint8x16_t group = vld1q_u8(taps[0] + offset);
  if constexpr (!kHalves) return group;
  const uint32x4_t next = vreinterpretq_u32_u8(vld1q_u8(taps[1] + offset));
  return vreinterpretq_u8_u32(vsliq_n_u32(vshrq_n_u32(vreinterpretq_u32_u8(group), 16), next, 16));
}

// The window's columns, group by group: fn(taps of the group and the next, offset at pixel 0, weights of four
// channels).
template <class Fn>
FAULTLINE_INLINE void forEachTap(const DepthwiseCall& call, const Row& row, int64_t channel, Fn&& fn) {
  for (int64_t g = 0; g < call.rowGroups; ++g) {
    for (int64_t kw = 0; kw < call.kernelW; ++kw) {
      fn(row.taps + g, (kw * call.tapStep + channel) * kTapRows,
         vld1q_s8(row.weights + ((g * call.kernelW + kw) * call.paddedChannels + channel) * kTapRows));
    }
  }
}

template <class Dot, bool kHalves>
void multiplyRow(const DepthwiseCall& call, const Row& row) {
  constexpr int kPixels = 4;  // at a time: a weight is loaded once for them
  const int64_t pixelBytes = call.pixelStep * kTapRows;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const int64_t count = call.channels - channel;
    int32x4_t init = vld1q_s32(call.init + channel);
    if constexpr (Dot::kOffset != 0) {
      forEachTap(
          call, row, channel, [&](const uint8_t* const*, int64_t, int8x16_t w) __attribute__((always_inline)) {
            init = vmlaq_n_s32(init, vpaddlq_s16(vpaddlq_s8(w)), Dot::kOffset);
          });
    }
    const float32x4_t scale = call.acc ? vdupq_n_f32(0.0f) : vld1q_f32(call.scale + channel);
    const float32x4_t bias = biasOf(call.epilogue, channel, count);
    for (int64_t pixel = 0; pixel < call.pixels; pixel += kPixels) {
      const int64_t pixels = call.pixels - pixel < kPixels ? call.pixels - pixel : kPixels;
      int32x4_t c[kPixels] = {init, init, init, init};
      forEachTap(
          call, row,
          channel, [&](const uint8_t* const* taps, int64_t offset, int8x16_t w) __attribute__((always_inline)) {
            const int64_t first = offset + pixel * pixelBytes;
            for (int64_t i = 0; i < pixels; ++i) {
              c[i] = Dot::add(c[i], loadTaps<kHalves>(taps, first + i * pixelBytes), w);
            }
          });
      for (int64_t i = 0; i < pixels; ++i) {
        const int64_t index = row.index + (pixel + i) * call.channels + channel;
        if (call.acc) {
          storeHead(call.acc + index, c[i], count);
        } else {
          finish(call.epilogue, vfmaq_f32(bias, vcvtq_f32_s32(c[i]), scale), call.out, index, count);
        }
      }
    }
  }
}

template <class Dot>
void multiply(const DepthwiseCall& call) {
  const int64_t shiftBytes = call.rowGroups * call.kernelW * call.paddedChannels * kTapRows;
  for (int64_t i = 0; i < call.rows; ++i) {
    const int64_t top = call.firstTop + i * call.topStep;
    const Row row = {call.taps, call.weights + top % kTapShifts * shiftBytes, i * call.rowStep};
    top < kTapShifts ? multiplyRow<Dot, false>(call, row) : multiplyRow<Dot, true>(call, row);
  }
}

}  // namespace
}  // namespace faultline
