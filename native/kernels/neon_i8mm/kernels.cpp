// NEON with the 8-bit matrix extension (Armv8.6, Neoverse V1 and N2). usmmla multiplies 2 rows × 8 k of unsigned bytes
// with 8 k × 2 channels of signed bytes into a 2 × 2 tile of int32, exactly: twice the products of a dot product.
//
// Packed with kGroup 8: a register of weights is 2 channels × 8 k. A tile is 4 rows × 16 channels: 16 accumulators.
#include "kernels/neon/gemm.h"
#include "kernels/neon/quantize.h"

namespace faultline {
namespace {

constexpr int kGroup = 8;

template <int R, bool kInt4>
struct Sums {
  static constexpr bool kIsInt4 = kInt4;
  static constexpr int32_t kOffset = 0;
  static constexpr int kPairs = (R + 1) / 2;
  static constexpr int kChannelPairs = kPanel / 2;
  int32x4_t acc[kPairs][kChannelPairs];  // [row 0: 2 channels, row 1: the same channels]

  FAULTLINE_INLINE void clear() {
    for (auto& pairs : acc) {
      for (int32x4_t& a : pairs) a = vdupq_n_s32(0);
    }
  }

  FAULTLINE_INLINE int32x4_t row(int r, int v) const {
    const int64x2_t first = vreinterpretq_s64_s32(acc[r / 2][2 * v]);
    const int64x2_t second = vreinterpretq_s64_s32(acc[r / 2][2 * v + 1]);
    return vreinterpretq_s32_s64(r % 2 ? vzip2q_s64(first, second) : vzip1q_s64(first, second));
  }

  // Eight k of 16 channels: two lines, channels 0–7 and 8–15; int4 ones share 64 bytes as low and high nibbles.
  FAULTLINE_INLINE void addGroup(const uint8x16_t (&a)[kPairs], const uint8_t* b) {
    const auto* bytes = reinterpret_cast<const int8_t*>(b);
#pragma GCC unroll 4
    for (int i = 0; i < kChannelPairs / 2; ++i) {
      const int8x16_t w = vld1q_s8(bytes + 16 * i);
      const int8x16_t low = kInt4 ? vshlq_n_s8(w, 4) : w;
      const int8x16_t high =
          kInt4 ? vandq_s8(w, vdupq_n_s8(static_cast<int8_t>(0xf0))) : vld1q_s8(bytes + kLine + 16 * i);
#pragma GCC unroll 4
      for (int p = 0; p < kPairs; ++p) {
        acc[p][i] = vusmmlaq_s32(acc[p][i], a[p], low);
        acc[p][i + kChannelPairs / 2] = vusmmlaq_s32(acc[p][i + kChannelPairs / 2], a[p], high);
      }
    }
  }

  FAULTLINE_INLINE void add(const uint8_t* a, int64_t stride, const uint8_t* b) {
    uint8x16_t first[kPairs], second[kPairs];  // k 0–7 and 8–15 of two rows
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; ++p) {
      const uint64x2_t even = vreinterpretq_u64_u8(vld1q_u8(a + 2 * p * stride));
      // An odd last row is paired with itself; that half of the tile is not stored.
      const uint64x2_t odd = 2 * p + 1 < R ? vreinterpretq_u64_u8(vld1q_u8(a + (2 * p + 1) * stride)) : even;
      first[p] = vreinterpretq_u8_u64(vzip1q_u64(even, odd));
      second[p] = vreinterpretq_u8_u64(vzip2q_u64(even, odd));
    }
    addGroup(first, b);
    addGroup(second, b + (kInt4 ? kLine : 2 * kLine));
  }
};

void gemm_u8s8_s32_neon_i8mm(const GemmCall& call) { gemm<Sums>(call); }

constexpr KernelTable kTable = {
    Isa::neonI8mm, kGroup, scanRange_f32_neon, quantizeRow_f32_u8_neon, gemm_u8s8_s32_neon_i8mm, &neonI8mmDepthwise};

}  // namespace

const KernelTable* neonI8mmKernels() { return &kTable; }

}  // namespace faultline
