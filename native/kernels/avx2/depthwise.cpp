// Depthwise convolution without a dot product instruction: a 32-bit lane is one channel, its four bytes are four
// vertical taps. Two vpmaddwd on the even and on the odd taps, as 16 bits, are exact for all weights; vpmaddubsw would
// saturate. The weights of eight channels are split once for an output row, the taps cost one vpand and one vpsrlw.
#include "kernels/avx2/plane.h"
#include "kernels/avx2/quotient.h"

namespace faultline {
namespace {

// The first `count` lanes.
FAULTLINE_INLINE __m256i headMask(int64_t count) {
  alignas(32) static constexpr int32_t kOnesThenZeros[2 * kVector] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return load(kOnesThenZeros + (count < kVector ? kVector - count : 0));
}

template <bool kDivide>
void quantizeTapsAs(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  // Any row counts as zeros when it is multiplied by 0, or divided by infinity.
  __m256 scale[kTapRows], inverse[kTapRows];
  for (int64_t r = 0; r < kTapRows; ++r) {
    scale[r] = _mm256_set1_ps(kDivide && !rows.inside[r] ? __builtin_inff() : params.scale);
    inverse[r] = _mm256_set1_ps(rows.inside[r] ? params.inverse : 0.0f);
  }
  const __m256i zeroPoint = _mm256_set1_epi32(params.zeroPoint);
  const __m256i qmax = _mm256_set1_epi8(static_cast<char>(params.qmax));
  // The two packs leave the codes of four rows in each 128-bit lane, four elements each.
  const __m256i transpose =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  for (int64_t i = 0; i < n; i += kVector) {
    const bool full = i + kVector <= n;
    const __m256i mask = headMask(n - i);
    __m256i c[kTapRows];
#pragma GCC unroll 4
    for (int64_t r = 0; r < kTapRows; ++r) {
      const float* x = rows.x[r] + i;
      c[r] = code<kDivide>(full ? _mm256_loadu_ps(x) : _mm256_maskload_ps(x, mask), scale[r], inverse[r], zeroPoint);
    }
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(c[0], c[1]), _mm256_packs_epi32(c[2], c[3]));
    const __m256i lanes = _mm256_shuffle_epi8(_mm256_min_epu8(bytes, qmax), transpose);
    uint8_t* to = out + kTapRows * i;
    if (full) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), lanes);
    } else {
      _mm256_maskstore_epi32(reinterpret_cast<int32_t*>(to), mask, lanes);
    }
  }
}

void quantizeTaps_f32_u8_avx2(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  params.inverse == 0.0f ? quantizeTapsAs<true>(rows, n, params, out) : quantizeTapsAs<false>(rows, n, params, out);
}

// Four rows of taps: a row group, or (kHalves) the lower half of one and the upper half of the next.
template <bool kHalves>
FAULTLINE_INLINE __m256i loadTaps(const uint8_t* const* taps, int64_t offset) {
  const __m256i group = load(taps[0] + offset);
  if constexpr (!kHalves) return group;
  const __m256i exchange =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return _mm256_shuffle_epi8(_mm256_blend_epi16(group, load(taps[1] + offset), 0x55), exchange);
}

// The constants of up to eight channels.
struct Channels {
  bool full;
  __m256i mask;
  __m256 scale, bias, clipMin, clipMax;
};

FAULTLINE_INLINE void finish(const DepthwiseCall& call, const Channels& ch, __m256i c, int64_t index) {
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

// One output row.
struct Row {
  const uint8_t* const* taps;  // of the row group where its windows begin
  const int8_t* weights;
  int64_t index;  // of its first output
};

// One group of window rows, KW columns: the usual case, all weights in registers.
template <bool kHalves, int KW>
void channelsFixed(const DepthwiseCall& call, const Row& row, const Channels& ch, int64_t channel) {
  Weights w[KW];
#pragma GCC unroll 4
  for (int kw = 0; kw < KW; ++kw) w[kw] = split(load(row.weights + (kw * call.paddedChannels + channel) * kTapRows));
  const uint8_t* const taps[2] = {row.taps[0], row.taps[1]};
  const __m256i init = load(call.init + channel);
  int64_t offset = channel * kTapRows;
  int64_t index = row.index + channel;
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel, index += call.channels) {
    __m256i c = init;
#pragma GCC unroll 4
    for (int kw = 0; kw < KW; ++kw) c = add(c, loadTaps<kHalves>(taps, offset + kw * call.tapStep * kTapRows), w[kw]);
    finish(call, ch, c, index);
    offset += call.pixelStep * kTapRows;
  }
}

// Any window.
template <bool kHalves>
void channelsAny(const DepthwiseCall& call, const Row& row, const Channels& ch, int64_t channel) {
  const __m256i init = load(call.init + channel);
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
    __m256i c = init;
    for (int64_t g = 0; g < call.rowGroups; ++g) {
      const int64_t offset = (pixel * call.pixelStep + channel) * kTapRows;
      const int8_t* w = row.weights + (g * call.kernelW * call.paddedChannels + channel) * kTapRows;
      for (int64_t kw = 0; kw < call.kernelW; ++kw) {
        c = add(c, loadTaps<kHalves>(row.taps + g, offset + kw * call.tapStep * kTapRows),
                split(load(w + kw * call.paddedChannels * kTapRows)));
      }
    }
    finish(call, ch, c, row.index + pixel * call.channels + channel);
  }
}

template <bool kHalves>
void multiplyRow(const DepthwiseCall& call, const Row& row) {
  const Epilogue& e = call.epilogue;
  for (int64_t channel = 0; channel < call.channels; channel += kVector) {
    const int64_t left = call.channels - channel;
    const __m256i mask = headMask(left);
    const Channels ch = {left >= kVector,
                         mask,
                         call.acc ? _mm256_setzero_ps() : _mm256_loadu_ps(call.scale + channel),
                         e.bias ? _mm256_maskload_ps(e.bias + channel, mask) : _mm256_setzero_ps(),
                         _mm256_set1_ps(e.clipMin),
                         _mm256_set1_ps(e.clipMax)};
    if (call.rowGroups == 1 && call.kernelW == 3) {
      channelsFixed<kHalves, 3>(call, row, ch, channel);
    } else if (call.rowGroups == 1 && call.kernelW == 1) {
      channelsFixed<kHalves, 1>(call, row, ch, channel);
    } else {
      channelsAny<kHalves>(call, row, ch, channel);
    }
  }
}

void depthwise_u8s8_s32_avx2(const DepthwiseCall& call) {
  const int64_t shiftBytes = call.rowGroups * call.kernelW * call.paddedChannels * kTapRows;
  for (int64_t i = 0; i < call.rows; ++i) {
    const int64_t top = call.firstTop + i * call.topStep;
    const Row row = {call.taps, call.weights + top % kTapShifts * shiftBytes, i * call.rowStep};
    top < kTapShifts ? multiplyRow<false>(call, row) : multiplyRow<true>(call, row);
  }
}

}  // namespace

const DepthwiseKernels avx2Depthwise = {quantizeTaps_f32_u8_avx2, depthwise_u8s8_s32_avx2, interleaveRows_u8_avx2,
                                        plane_u8s8_s32_avx2};

}  // namespace faultline
