// Depthwise convolution with vpdpbusd: a 32-bit lane is one channel, its four bytes are four vertical taps.
//
// Four neighbouring pixels of 16 channels are one step: they share the loads of the columns that their windows have in
// common, and their sums hide each other's latency. Steps go through the channels, then along the output row, so that
// taps and outputs are walked as they lie in memory. Interleaving four image rows takes 3 shuffles per 16 channels and
// serves all columns of the window, and two output rows when the window is 3 high.
#include "kernels/avx512_epilogue.h"

namespace faultline {
namespace {

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

// Pixels of a step: enough to cover the latency of their products; eight are slower than four on Zen 4.
constexpr int kMostPixels = 4;

// The constants of 16 channels.
struct Channels {
  __mmask16 mask;
  __m512i init;
  __m512 scale;
  __m512 bias;
};

// Outputs of kPixels neighbouring pixels from their accumulators; `index` is the first one's.
template <int kPixels>
FAULTLINE_INLINE void finish(const DepthwiseCall& call, const Channels& ch, const __m512i (&c)[kPixels],
                             int64_t index) {
  if (call.acc) {
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) _mm512_mask_storeu_epi32(call.acc + index + i * call.channels, ch.mask, c[i]);
    return;
  }
  __m512 y[kPixels];
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i) y[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(c[i]), ch.scale, ch.bias);
  if (const float* residual = call.epilogue.residual) {
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) {
      y[i] = _mm512_add_ps(y[i], _mm512_maskz_loadu_ps(ch.mask, residual + index + i * call.channels));
    }
  }
  if (clips(call.epilogue)) {
    const __m512 lo = _mm512_set1_ps(call.epilogue.clipMin), hi = _mm512_set1_ps(call.epilogue.clipMax);
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) y[i] = clip(y[i], lo, hi);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kPixels; ++i) _mm512_mask_storeu_ps(call.out + index + i * call.channels, ch.mask, y[i]);
}

// kPixels pixels of one group of window rows and KW columns. Where windows of neighbours overlap (kSliding: a pixel is
// one column further), they share the loads.
template <int KW, int kPixels, bool kSliding>
FAULTLINE_INLINE void multiplyPixels(const uint8_t* taps, int64_t pixelBytes, int64_t tapBytes, const __m512i (&w)[KW],
                                     __m512i (&c)[kPixels]) {
  if constexpr (kSliding) {
#pragma GCC unroll 16
    for (int column = 0; column < kPixels + KW - 1; ++column) {
      const __m512i tap = _mm512_loadu_si512(taps + column * tapBytes);
#pragma GCC unroll 16
      for (int kw = 0; kw < KW; ++kw) {
        if (const int i = column - kw; i >= 0 && i < kPixels) addProducts(c[i], tap, w[kw]);
      }
    }
  } else {
#pragma GCC unroll 16
    for (int kw = 0; kw < KW; ++kw) {
#pragma GCC unroll 16
      for (int i = 0; i < kPixels; ++i) {
        addProducts(c[i], _mm512_loadu_si512(taps + i * pixelBytes + kw * tapBytes), w[kw]);
      }
    }
  }
}

// The constants of the 16 channels from `channel`.
FAULTLINE_INLINE Channels channelsAt(const DepthwiseCall& call, int64_t channel) {
  const Epilogue& e = call.epilogue;
  const __mmask16 mask = headMask(call.channels - channel);
  return {mask, _mm512_loadu_si512(call.init + channel),
          call.acc ? _mm512_setzero_ps() : _mm512_loadu_ps(call.scale + channel),
          e.bias ? _mm512_maskz_loadu_ps(mask, e.bias + channel) : _mm512_setzero_ps()};
}

// All channels of kPixels neighbouring pixels, one group of window rows and KW columns: the usual case.
template <int KW, int kPixels, bool kSliding>
void pixelsFixed(const DepthwiseCall& shared, int64_t pixel, int64_t padded) {
  const DepthwiseCall call = shared;  // for all the compiler knows, vector stores might change the other
  const int64_t pixelBytes = call.pixelStep * kTapRows;
  const int64_t tapBytes = call.tapStep * kTapRows;
  const uint8_t* taps = call.taps[0] + pixel * pixelBytes;
  const int8_t* weights = call.weights;
  const float* outputs = call.out ? call.out : reinterpret_cast<const float*>(call.acc);
  const int64_t nextRow = call.pixels * call.channels;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const Channels ch = channelsAt(call, channel);
    __m512i w[KW], c[kPixels];
#pragma GCC unroll 16
    for (int kw = 0; kw < KW; ++kw) w[kw] = _mm512_loadu_si512(weights + (kw * padded + channel) * kTapRows);
#pragma GCC unroll 16
    for (int i = 0; i < kPixels; ++i) {
      c[i] = ch.init;
      // The next row's outputs, into the second-level cache: the first holds the taps.
      __builtin_prefetch(outputs + pixel * call.channels + channel + i * call.channels + nextRow, 0, 2);
    }
    multiplyPixels<KW, kPixels, kSliding>(taps + channel * kTapRows, pixelBytes, tapBytes, w, c);
    finish(call, ch, c, pixel * call.channels + channel);
  }
}

// The pixels from `pixel` on: kPixels at a time, then those left together.
template <int KW, int kPixels, bool kSliding>
void rowFixed(const DepthwiseCall& call, int64_t pixel, int64_t padded) {
  for (; pixel + kPixels <= call.pixels; pixel += kPixels) pixelsFixed<KW, kPixels, kSliding>(call, pixel, padded);
  if constexpr (kPixels > 1) {
    if (pixel < call.pixels) rowFixed<KW, kPixels - 1, kSliding>(call, pixel, padded);
  }
}

// Any window.
void rowAny(const DepthwiseCall& call, int64_t padded) {
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const Channels ch = channelsAt(call, channel);
    for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
      __m512i c[1] = {ch.init};
      for (int64_t g = 0; g < call.rowGroups; ++g) {
        const uint8_t* taps = call.taps[g] + (pixel * call.pixelStep + channel) * kTapRows;
        const int8_t* w = call.weights + (g * call.kernelW * padded + channel) * kTapRows;
        for (int64_t kw = 0; kw < call.kernelW; ++kw) {
          addProducts(c[0], _mm512_loadu_si512(taps + kw * call.tapStep * kTapRows),
                      _mm512_loadu_si512(w + kw * padded * kTapRows));
        }
      }
      finish(call, ch, c, pixel * call.channels + channel);
    }
  }
}

void row(const DepthwiseCall& call) {
  const int64_t padded = (call.channels + kPanel - 1) / kPanel * kPanel;
  if (call.rowGroups == 1 && call.kernelW == 3) {
    call.pixelStep == call.tapStep ? rowFixed<3, kMostPixels, true>(call, 0, padded)
                                   : rowFixed<3, kMostPixels, false>(call, 0, padded);
  } else if (call.rowGroups == 1 && call.kernelW == 1) {
    rowFixed<1, kMostPixels, false>(call, 0, padded);
  } else {
    rowAny(call, padded);
  }
}

}  // namespace

const DepthwiseKernels avx512vnniDepthwise = {interleaveRows, row};

}  // namespace faultline
