// Depthwise convolution with vpdpbusd: a 32-bit lane is one channel, its four bytes are four vertical taps.
//
// A kernel row of 16 channels keeps its weights, scale and bias in registers and walks along the output row, so that an
// output vector costs KW loads, KW vpdpbusd and the epilogue. Interleaving four image rows takes 3 shuffles per 16
// channels and serves all columns of the window, and two output rows when the window is 3 high.
#include <immintrin.h>

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int64_t kVector = 16;

void interleaveRows(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
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

// The constants of 16 channels.
struct Channels {
  __mmask16 mask;
  __m512 scale;
  __m512 bias;
  __m512 clipMin;
  __m512 clipMax;
};

[[gnu::always_inline]] inline void finish(const DepthwiseCall& call, const Channels& ch, __m512i c, int64_t index) {
  if (call.acc) {
    _mm512_mask_storeu_epi32(call.acc + index, ch.mask, c);
    return;
  }
  __m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(c), ch.scale, ch.bias);
  if (call.epilogue.residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(ch.mask, call.epilogue.residual + index));
  y = _mm512_min_ps(_mm512_max_ps(y, ch.clipMin), ch.clipMax);
  _mm512_mask_storeu_ps(call.out + index, ch.mask, y);
}

// One group of window rows, KW columns: the usual case, all weights in registers.
template <int KW>
void channelsFixed(const DepthwiseCall& call, const Channels& ch, int64_t channel, int64_t padded) {
  __m512i w[KW];
#pragma GCC unroll 16
  for (int kw = 0; kw < KW; ++kw) w[kw] = _mm512_loadu_si512(call.weights + (kw * padded + channel) * kTapRows);
  const __m512i init = _mm512_loadu_si512(call.init + channel);
  const uint8_t* taps = call.taps[0] + channel * kTapRows;
  const int64_t pixelBytes = call.pixelStep * kTapRows;
  const int64_t tapBytes = call.tapStep * kTapRows;
  int64_t index = channel;
  const int64_t nextRow = call.pixels * call.channels;
#pragma GCC unroll 2
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel, taps += pixelBytes, index += call.channels) {
    // The outputs of a row are written with large steps, which hardware does not foresee.
    __builtin_prefetch(call.out + index + nextRow, 1);
    __m512i c = init;
#pragma GCC unroll 16
    for (int kw = 0; kw < KW; ++kw) c = _mm512_dpbusd_epi32(c, _mm512_loadu_si512(taps + kw * tapBytes), w[kw]);
    finish(call, ch, c, index);
  }
}

// Any window.
void channelsAny(const DepthwiseCall& call, const Channels& ch, int64_t channel, int64_t padded) {
  const __m512i init = _mm512_loadu_si512(call.init + channel);
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
    __m512i c = init;
    for (int64_t g = 0; g < call.rowGroups; ++g) {
      const uint8_t* taps = call.taps[g] + (pixel * call.pixelStep + channel) * kTapRows;
      const int8_t* w = call.weights + (g * call.kernelW * padded + channel) * kTapRows;
      for (int64_t kw = 0; kw < call.kernelW; ++kw) {
        c = _mm512_dpbusd_epi32(c, _mm512_loadu_si512(taps + kw * call.tapStep * kTapRows),
                                _mm512_loadu_si512(w + kw * padded * kTapRows));
      }
    }
    finish(call, ch, c, pixel * call.channels + channel);
  }
}

void row(const DepthwiseCall& call) {
  const int64_t padded = (call.channels + kPanel - 1) / kPanel * kPanel;
  const Epilogue& e = call.epilogue;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const int64_t left = call.channels - channel;
    const __mmask16 mask = left >= kVector ? 0xffff : static_cast<__mmask16>((1u << left) - 1);
    const Channels ch = {mask, call.acc ? _mm512_setzero_ps() : _mm512_loadu_ps(call.scale + channel),
                         e.bias ? _mm512_maskz_loadu_ps(mask, e.bias + channel) : _mm512_setzero_ps(),
                         _mm512_set1_ps(e.clipMin), _mm512_set1_ps(e.clipMax)};
    if (call.rowGroups == 1 && call.kernelW == 3) {
      channelsFixed<3>(call, ch, channel, padded);
    } else if (call.rowGroups == 1 && call.kernelW == 1) {
      channelsFixed<1>(call, ch, channel, padded);
    } else {
      channelsAny(call, ch, channel, padded);
    }
  }
}

}  // namespace

const DepthwiseKernels avx512vnniDepthwise = {interleaveRows, row};

}  // namespace faultline
