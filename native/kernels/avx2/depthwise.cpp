// Depthwise convolution without a dot product instruction: a 32-bit lane is one channel, its four bytes are four
// vertical taps. Two vpmaddwd on the even and on the odd taps, as 16 bits, are exact for all weights; vpmaddubsw would
// saturate. The weights of eight channels are split once for an output row, the taps cost one vpand and one vpsrlw.
#include <immintrin.h>

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int64_t kVector = 8;

__m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

void interleaveRows(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
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

// The four weights of eight channels: bytes 0 and 2, bytes 1 and 3, with their signs as 16 bits.
struct Weights {
  __m256i even, odd;
};
[[gnu::always_inline]] inline Weights split(const int8_t* w) {
  const __m256i bytes = load(w);
  return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
}
[[gnu::always_inline]] inline __m256i add(__m256i c, const uint8_t* taps, const Weights& w) {
  const __m256i bytes = load(taps);
  const __m256i even = _mm256_and_si256(bytes, _mm256_set1_epi16(255));
  const __m256i odd = _mm256_srli_epi16(bytes, 8);
  return _mm256_add_epi32(c, _mm256_add_epi32(_mm256_madd_epi16(even, w.even), _mm256_madd_epi16(odd, w.odd)));
}

// The constants of up to eight channels.
struct Channels {
  bool full;
  __m256i mask;
  __m256 scale, bias, clipMin, clipMax;
};

[[gnu::always_inline]] inline void finish(const DepthwiseCall& call, const Channels& ch, __m256i c, int64_t index) {
  if (call.acc) {
    if (ch.full) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(call.acc + index), c);
    return _mm256_maskstore_epi32(call.acc + index, ch.mask, c);
  }
  __m256 y = _mm256_fmadd_ps(_mm256_cvtepi32_ps(c), ch.scale, ch.bias);
  if (call.epilogue.residual) y = _mm256_add_ps(y, _mm256_maskload_ps(call.epilogue.residual + index, ch.mask));
  y = _mm256_min_ps(ch.clipMax, _mm256_max_ps(ch.clipMin, y));
  if (ch.full) return _mm256_storeu_ps(call.out + index, y);
  _mm256_maskstore_ps(call.out + index, ch.mask, y);
}

// One group of window rows, KW columns: the usual case, all weights in registers.
template <int KW>
void channelsFixed(const DepthwiseCall& call, const Channels& ch, int64_t channel, int64_t padded) {
  Weights w[KW];
#pragma GCC unroll 4
  for (int kw = 0; kw < KW; ++kw) w[kw] = split(call.weights + (kw * padded + channel) * kTapRows);
  const __m256i init = load(call.init + channel);
  const uint8_t* taps = call.taps[0] + channel * kTapRows;
  int64_t index = channel;
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel, index += call.channels) {
    __m256i c = init;
#pragma GCC unroll 4
    for (int kw = 0; kw < KW; ++kw) c = add(c, taps + kw * call.tapStep * kTapRows, w[kw]);
    finish(call, ch, c, index);
    taps += call.pixelStep * kTapRows;
  }
}

// Any window.
void channelsAny(const DepthwiseCall& call, const Channels& ch, int64_t channel, int64_t padded) {
  const __m256i init = load(call.init + channel);
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
    __m256i c = init;
    for (int64_t g = 0; g < call.rowGroups; ++g) {
      const uint8_t* taps = call.taps[g] + (pixel * call.pixelStep + channel) * kTapRows;
      const int8_t* w = call.weights + (g * call.kernelW * padded + channel) * kTapRows;
      for (int64_t kw = 0; kw < call.kernelW; ++kw) {
        c = add(c, taps + kw * call.tapStep * kTapRows, split(w + kw * padded * kTapRows));
      }
    }
    finish(call, ch, c, pixel * call.channels + channel);
  }
}

void row(const DepthwiseCall& call) {
  alignas(32) static constexpr int32_t kOnesThenZeros[2 * kVector] = {-1, -1, -1, -1, -1, -1, -1, -1};
  const int64_t padded = (call.channels + kPanel - 1) / kPanel * kPanel;
  const Epilogue& e = call.epilogue;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const int64_t left = call.channels - channel;
    const __m256i mask = load(kOnesThenZeros + (left < kVector ? kVector - left : 0));
    const Channels ch = {left >= kVector,
                         mask,
                         call.acc ? _mm256_setzero_ps() : _mm256_loadu_ps(call.scale + channel),
                         e.bias ? _mm256_maskload_ps(e.bias + channel, mask) : _mm256_setzero_ps(),
                         _mm256_set1_ps(e.clipMin),
                         _mm256_set1_ps(e.clipMax)};
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

const DepthwiseKernels avx2Depthwise = {interleaveRows, row};

}  // namespace faultline
