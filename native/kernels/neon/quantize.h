// NEON: the range scan and the quantization of one row.
#pragma once

#include "kernels/neon/quotient.h"

namespace faultline {
namespace {

bool scanRange_f32_neon(const float* x, int64_t n, float* min, float* max) {
  constexpr int64_t kUnroll = 4;
  float32x4_t lo[kUnroll], hi[kUnroll], poison[kUnroll];  // poison: x · 0 is NaN for NaN and infinity
  for (int u = 0; u < kUnroll; ++u) {
    lo[u] = vdupq_n_f32(*min);
    hi[u] = vdupq_n_f32(*max);
    poison[u] = vdupq_n_f32(0.0f);
  }
  const float32x4_t zero = vdupq_n_f32(0.0f);
  int64_t i = 0;
  for (; i + kUnroll * kVector <= n; i += kUnroll * kVector) {
    for (int u = 0; u < kUnroll; ++u) {
      const float32x4_t v = vld1q_f32(x + i + u * kVector);
      lo[u] = vminq_f32(lo[u], v);
      hi[u] = vmaxq_f32(hi[u], v);
      poison[u] = vfmaq_f32(poison[u], v, zero);
    }
  }
  for (; i < n; ++i) {
    const float32x4_t v = vdupq_n_f32(x[i]);
    lo[0] = vminq_f32(lo[0], v);
    hi[0] = vmaxq_f32(hi[0], v);
    poison[0] = vfmaq_f32(poison[0], v, zero);
  }
  for (int u = 1; u < kUnroll; ++u) {
    lo[0] = vminq_f32(lo[0], lo[u]);
    hi[0] = vmaxq_f32(hi[0], hi[u]);
    poison[0] = vaddq_f32(poison[0], poison[u]);
  }
  *min = vminvq_f32(lo[0]);
  *max = vmaxvq_f32(hi[0]);
  return vaddvq_f32(poison[0]) == 0.0f;
}

template <bool kDivide>
FAULTLINE_INLINE void quantizeRowAs(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                                    int64_t blockStride) {
  constexpr int64_t kStep = 4 * kVector;
  const float32x4_t scale = vdupq_n_f32(params.scale);
  const float32x4_t inverse = vdupq_n_f32(params.inverse);
  const int32x4_t zeroPoint = vdupq_n_s32(params.zeroPoint);
  const uint8x16_t qmax = vdupq_n_u8(static_cast<uint8_t>(params.qmax));
  for (int64_t i = 0; i < n; i += kStep) {
    uint16x4_t c[4];
    for (int u = 0; u < 4; ++u) {
      const int64_t left = n - i - u * kVector;
      const float32x4_t v = left > 0 ? loadHead(x + i + u * kVector, left) : vdupq_n_f32(0.0f);
      c[u] = vqmovun_s32(code<kDivide>(v, scale, inverse, zeroPoint));
    }
    const uint8x16_t bytes =
        vminq_u8(vcombine_u8(vqmovn_u16(vcombine_u16(c[0], c[1])), vqmovn_u16(vcombine_u16(c[2], c[3]))), qmax);
    uint8_t* to = out + i / kBlockK * blockStride + i % kBlockK;
    if (n - i >= kStep) {
      vst1q_u8(to, bytes);
    } else {
      uint8_t head[kStep];
      vst1q_u8(head, bytes);
      for (int64_t j = 0; j < n - i; ++j) to[j] = head[j];
    }
  }
}

void quantizeRow_f32_u8_neon(const float* x, int64_t n, const AffineParams& params, uint8_t* out, int64_t blockStride) {
  if (params.inverse == 0.0f) {
    quantizeRowAs<true>(x, n, params, out, blockStride);
  } else {
    quantizeRowAs<false>(x, n, params, out, blockStride);
  }
}

}  // namespace
}  // namespace faultline
