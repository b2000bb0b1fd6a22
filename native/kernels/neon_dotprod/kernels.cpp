// NEON with the dot product extension (Armv8.2, Neoverse N1). sdot multiplies 16 signed bytes with 16 signed bytes, or
// with four of them repeated, and adds groups of four into 4 int32 lanes, exactly. There is no unsigned by signed form:
// activations become signed by subtracting 128 (one exclusive or), and 128 · Σ weights is added in the end.
//
// A tile is 4 rows × 16 channels: 16 accumulators, 4 activations (16 k of a row each), 4 weights of 32 registers.
#include "kernels/neon/gemm.h"
#include "kernels/neon/quantize.h"

namespace faultline {
namespace {

template <int R, bool kInt4>
struct Sums {
  static constexpr bool kIsInt4 = kInt4;
  static constexpr int32_t kOffset = 128;
  int32x4_t acc[R][4];

  FAULTLINE_INLINE void clear() {
    for (auto& vectors : acc) {
      for (int32x4_t& a : vectors) a = vdupq_n_s32(0);
    }
  }
  FAULTLINE_INLINE int32x4_t row(int r, int v) const { return acc[r][v]; }

  // One line: 4 k of 16 channels. kLane says which 4 of the 16 activations.
  template <int kLane>
  FAULTLINE_INLINE void addLine(const int8x16_t (&a)[R], const int8x16_t (&w)[4]) {
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) acc[r][v] = vdotq_laneq_s32(acc[r][v], w[v], a[r], kLane);
    }
  }

  // Two lines; int4 ones share 64 bytes: low nibbles, then high nibbles, both as 16 · w.
  template <int kLane>
  FAULTLINE_INLINE void addLines(const int8x16_t (&a)[R], const uint8_t* b) {
    const auto* bytes = reinterpret_cast<const int8_t*>(b);
    int8x16_t even[4], odd[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const int8x16_t w = vld1q_s8(bytes + 16 * v);
      even[v] = kInt4 ? vshlq_n_s8(w, 4) : w;
      odd[v] = kInt4 ? vandq_s8(w, vdupq_n_s8(static_cast<int8_t>(0xf0))) : vld1q_s8(bytes + kLine + 16 * v);
    }
    addLine<kLane>(a, even);
    addLine<kLane + 1>(a, odd);
  }

  FAULTLINE_INLINE void add(const uint8_t* a, int64_t stride, const uint8_t* b) {
    int8x16_t x[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) x[r] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a + r * stride), vdupq_n_u8(0x80)));
    addLines<0>(x, b);
    addLines<2>(x, b + (kInt4 ? kLine : 2 * kLine));
  }
};

void gemm_u8s8_s32_neon_dotprod(const GemmCall& call) { gemm<Sums>(call); }

constexpr KernelTable kTable = {Isa::neonDotprod,           4,
                                scanRange_f32_neon,         quantizeRow_f32_u8_neon,
                                gemm_u8s8_s32_neon_dotprod, &neonDotprodDepthwise};

}  // namespace

const KernelTable* neonDotprodKernels() { return &kTable; }

}  // namespace faultline
