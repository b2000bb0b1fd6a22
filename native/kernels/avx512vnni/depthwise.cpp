// Depthwise convolution with vpdpbusd: a 32-bit lane is one channel, its four bytes are four vertical taps.
//
// A row is quantized straight into its place among the taps: the packs that make bytes of four rows leave only a 4 × 4
// transpose inside each 128-bit lane. The product goes through the pixels of 16 channels with all weights in registers:
// four neighbouring pixels, in up to four output rows, share the loads of the columns that their windows have in
// common, and their sums hide each other's latency. Per 16 outputs of a 3 × 3 window with stride 1 that makes 3
// products and less than one load.
#include "kernels/avx512_quotient.h"
#include "kernels/avx512vnni/plane.h"

namespace faultline {
namespace {

// ---- Taps -----------------------------------------------------------------------------------------------------------

template <bool kDivide>
void quantizeTapsAs(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  // Any row counts as zeros when it is multiplied by 0, or divided by infinity.
  __m512 scale[kTapRows], inverse[kTapRows];
  const float* x[kTapRows];
#pragma GCC unroll 4
  for (int64_t r = 0; r < kTapRows; ++r) {
    scale[r] = _mm512_set1_ps(kDivide && !rows.inside[r] ? __builtin_inff() : params.scale);
    inverse[r] = _mm512_set1_ps(rows.inside[r] ? params.inverse : 0.0f);
    x[r] = rows.x[r];
  }
  const __m512i zeroPoint = _mm512_set1_epi16(static_cast<int16_t>(params.zeroPoint));
  const __m512i qmax = _mm512_set1_epi8(static_cast<char>(params.qmax));
  const __m512i transpose = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const auto lanes = [&](const __m512(&v)[kTapRows]) __attribute__((always_inline)) {
    __m512i c[kTapRows];
#pragma GCC unroll 4
    for (int64_t r = 0; r < kTapRows; ++r) c[r] = roundedQuotient<kDivide>(v[r], scale[r], inverse[r]);
    // What lies beyond 16 bits saturates at every step, and ends at 0 or qmax all the same.
    const __m512i rows01 = _mm512_adds_epi16(_mm512_packs_epi32(c[0], c[1]), zeroPoint);
    const __m512i rows23 = _mm512_adds_epi16(_mm512_packs_epi32(c[2], c[3]), zeroPoint);
    return _mm512_shuffle_epi8(_mm512_min_epu8(_mm512_packus_epi16(rows01, rows23), qmax), transpose);
  };
  __m512 v[kTapRows];
  int64_t i = 0;
  for (; i + kVector <= n; i += kVector) {
#pragma GCC unroll 4
    for (int64_t r = 0; r < kTapRows; ++r) v[r] = _mm512_loadu_ps(x[r] + i);
    _mm512_storeu_si512(out + kTapRows * i, lanes(v));
  }
  if (i < n) {
    const __mmask16 head = headMask(n - i);
#pragma GCC unroll 4
    for (int64_t r = 0; r < kTapRows; ++r) v[r] = _mm512_maskz_loadu_ps(head, x[r] + i);
    _mm512_mask_storeu_epi32(out + kTapRows * i, head, lanes(v));
  }
}

void quantizeTaps_f32_u8_avx512vnni(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  params.inverse == 0.0f ? quantizeTapsAs<true>(rows, n, params, out) : quantizeTapsAs<false>(rows, n, params, out);
}

// The lower half of a row group and the upper half of the next: the four rows in between.
FAULTLINE_INLINE __m512i halves(__m512i group, const uint8_t* next) {
  return _mm512_rol_epi32(_mm512_mask_loadu_epi16(group, 0x55555555, next), 16);
}

// ---- Product --------------------------------------------------------------------------------------------------------

// Pixels of a step: enough to cover the latency of their products.
constexpr int kMostPixels = 4;

// Output rows whose windows begin in one row group.
struct Rows {
  const uint8_t* const* taps;  // of that row group, then the next
  const int8_t* weights;       // of the first output row …
  int64_t shiftBytes;          // … and how far on are those of a window that begins a row further down
  int64_t index;               // the first output of the first row
};

// The constants of 16 channels.
struct Channels {
  __mmask16 mask;
  __m512i init;
  __m512 scale;
  __m512 bias;
};

FAULTLINE_INLINE Channels channelsAt(const DepthwiseCall& call, int64_t channel) {
  const Epilogue& e = call.epilogue;
  const __mmask16 mask = headMask(call.channels - channel);
  return {mask, _mm512_loadu_si512(call.init + channel),
          call.acc ? _mm512_setzero_ps() : _mm512_loadu_ps(call.scale + channel),
          e.bias ? _mm512_maskz_loadu_ps(mask, e.bias + channel) : _mm512_setzero_ps()};
}

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

// What the templates below are made for: windows of KW columns in one group of rows; neighbouring pixels kColumns
// columns apart; windows that begin in rows 0 … kShifts − 1 of the group, of its lower half, or of both.
template <int kKernelW, int kPixelColumns, int kTops, bool kUpperHalf, bool kLowerHalf>
struct Shape {
  static constexpr int KW = kKernelW, kColumns = kPixelColumns, kShifts = kTops;
  static constexpr bool kUpper = kUpperHalf, kLower = kLowerHalf;
  static constexpr int kRows = kShifts * (kUpper + kLower);
};

// kPixels neighbouring pixels of 16 channels. `tap0`, `tap1`: the first column in a row group and the next.
template <class S, int kPixels>
FAULTLINE_INLINE void multiplyPixels(const DepthwiseCall& call, const uint8_t* tap0, const uint8_t* tap1,
                                     int64_t tapBytes, const __m512i (&w)[S::kShifts][S::KW], const Channels& ch,
                                     int64_t index) {
  __m512i c[S::kRows][kPixels];
#pragma GCC unroll 4
  for (int r = 0; r < S::kRows; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < kPixels; ++i) c[r][i] = ch.init;
  }
#pragma GCC unroll 16
  for (int column = 0; column < (kPixels - 1) * S::kColumns + S::KW; ++column) {
    const __m512i group = _mm512_loadu_si512(tap0 + column * tapBytes);
    const __m512i between = S::kLower ? halves(group, tap1 + column * tapBytes) : group;
#pragma GCC unroll 4
    for (int i = 0; i < kPixels; ++i) {
      const int kw = column - i * S::kColumns;
      if (kw < 0 || kw >= S::KW) continue;
#pragma GCC unroll 2
      for (int shift = 0; shift < S::kShifts; ++shift) {
        if constexpr (S::kUpper) addProducts(c[shift][i], group, w[shift][kw]);
        if constexpr (S::kLower) addProducts(c[S::kRows - S::kShifts + shift][i], between, w[shift][kw]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < S::kRows; ++r) finish(call, ch, c[r], index + r * call.rowStep);
}

template <class S, int kPixels>
FAULTLINE_INLINE void multiplyRest(const DepthwiseCall& call, const uint8_t* tap0, const uint8_t* tap1,
                                   int64_t tapBytes, const __m512i (&w)[S::kShifts][S::KW], const Channels& ch,
                                   int64_t index, int64_t pixels) {
  if (pixels == kPixels) return multiplyPixels<S, kPixels>(call, tap0, tap1, tapBytes, w, ch, index);
  if constexpr (kPixels > 1) multiplyRest<S, kPixels - 1>(call, tap0, tap1, tapBytes, w, ch, index, pixels);
}

template <class S>
void multiplyRows(const DepthwiseCall& shared, const Rows& rows) {
  const DepthwiseCall call = shared;  // for all the compiler knows, vector stores might change the other
  const int64_t tapBytes = call.tapStep * kTapRows;
  const int64_t stepBytes = kMostPixels * S::kColumns * tapBytes;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const Channels ch = channelsAt(call, channel);
    __m512i w[S::kShifts][S::KW];
#pragma GCC unroll 2
    for (int shift = 0; shift < S::kShifts; ++shift) {
#pragma GCC unroll 16
      for (int kw = 0; kw < S::KW; ++kw) {
        const int8_t* from = rows.weights + shift * rows.shiftBytes + (kw * call.paddedChannels + channel) * kTapRows;
        w[shift][kw] = _mm512_loadu_si512(from);
      }
    }
    const uint8_t* tap0 = rows.taps[0] + channel * kTapRows;
    const uint8_t* tap1 = rows.taps[1] + channel * kTapRows;
    int64_t index = rows.index + channel;
    int64_t pixels = call.pixels;
    for (; pixels >= kMostPixels; pixels -= kMostPixels) {
      multiplyPixels<S, kMostPixels>(call, tap0, tap1, tapBytes, w, ch, index);
      tap0 += stepBytes;
      tap1 += stepBytes;
      index += kMostPixels * call.channels;
    }
    if (pixels > 0) multiplyRest<S, kMostPixels - 1>(call, tap0, tap1, tapBytes, w, ch, index, pixels);
  }
}

// Any window, one output row, kPixels pixels at a time, from `pixel` on.
template <bool kLower, int kPixels>
int64_t multiplyAny(const DepthwiseCall& call, const Rows& rows, int64_t pixel) {
  const int64_t pixelBytes = call.pixelStep * kTapRows;
  for (; pixel + kPixels <= call.pixels; pixel += kPixels) {
    for (int64_t channel = 0; channel < call.channels; channel += kVector) {
      const Channels ch = channelsAt(call, channel);
      __m512i c[kPixels];
#pragma GCC unroll 4
      for (int i = 0; i < kPixels; ++i) c[i] = ch.init;
      const int8_t* w = rows.weights + channel * kTapRows;
      for (int64_t g = 0; g < call.rowGroups; ++g) {
        for (int64_t kw = 0; kw < call.kernelW; ++kw, w += call.paddedChannels * kTapRows) {
          const __m512i weights = _mm512_loadu_si512(w);
          const int64_t offset = (pixel * call.pixelStep + kw * call.tapStep + channel) * kTapRows;
#pragma GCC unroll 4
          for (int i = 0; i < kPixels; ++i) {
            __m512i tap = _mm512_loadu_si512(rows.taps[g] + offset + i * pixelBytes);
            if constexpr (kLower) tap = halves(tap, rows.taps[g + 1] + offset + i * pixelBytes);
            addProducts(c[i], tap, weights);
          }
        }
      }
      finish(call, ch, c, rows.index + pixel * call.channels + channel);
    }
  }
  return pixel;
}

// The output rows from `row` on that can be made together; returns how many.
int64_t multiplySome(const DepthwiseCall& call, int64_t row) {
  const int64_t top = call.firstTop + row * call.topStep;
  const int64_t left = call.rows - row;
  const int64_t shiftBytes = call.rowGroups * call.kernelW * call.paddedChannels * kTapRows;
  const Rows rows = {call.taps, call.weights + top % kTapShifts * shiftBytes, shiftBytes, row * call.rowStep};
  const bool lower = top >= kTapShifts;
  if (call.rowGroups == 1 && call.kernelW == 3) {
    if (call.pixelStep == call.tapStep) {
      if (call.topStep == 1 && top == 0 && left >= 4) return multiplyRows<Shape<3, 1, 2, true, true>>(call, rows), 4;
      if (call.topStep == 1 && top % kTapShifts == 0 && left >= 2) {
        lower ? multiplyRows<Shape<3, 1, 2, false, true>>(call, rows)
              : multiplyRows<Shape<3, 1, 2, true, false>>(call, rows);
        return 2;
      }
      lower ? multiplyRows<Shape<3, 1, 1, false, true>>(call, rows)
            : multiplyRows<Shape<3, 1, 1, true, false>>(call, rows);
      return 1;
    }
    if (call.pixelStep == 2 * call.tapStep) {
      if (call.topStep == 2 && !lower && left >= 2) return multiplyRows<Shape<3, 2, 1, true, true>>(call, rows), 2;
      lower ? multiplyRows<Shape<3, 2, 1, false, true>>(call, rows)
            : multiplyRows<Shape<3, 2, 1, true, false>>(call, rows);
      return 1;
    }
  }
  if (lower) {
    multiplyAny<true, 1>(call, rows, multiplyAny<true, kMostPixels>(call, rows, 0));
  } else {
    multiplyAny<false, 1>(call, rows, multiplyAny<false, kMostPixels>(call, rows, 0));
  }
  return 1;
}

void depthwise_u8s8_s32_avx512vnni(const DepthwiseCall& call) {
  for (int64_t row = 0; row < call.rows;) row += multiplySome(call, row);
}

}  // namespace

const DepthwiseKernels avx512vnniDepthwise = {quantizeTaps_f32_u8_avx512vnni, depthwise_u8s8_s32_avx512vnni,
                                              interleaveRows_u8_avx512vnni, plane_u8s8_s32_avx512vnni};

}  // namespace faultline
