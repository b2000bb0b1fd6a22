// The readable reference of kernels/saturating16.h, for both packed layouts.
#include "kernels/saturating16.h"

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int32_t kMin16 = -32768;
constexpr int32_t kMax16 = 32767;

// The two bytes of W[n, k], W[n, k + 1] (k even) in the packed block.
const int8_t* weightPair(const PackedMatrix& w, int64_t panel, int64_t channel, int64_t k) {
  const uint8_t* block = w.panel(panel) + k / kBlockK * w.blockBytes();
  const int64_t inBlock = k % kBlockK;
  const int64_t group = inBlock / w.kGroup;
  return reinterpret_cast<const int8_t*>(block) + group * kPanel * w.kGroup + channel * w.kGroup + inBlock % w.kGroup;
}

void gemm_u8s8_s16_scalar(const Saturating16Call& call) {
  const PackedMatrix& w = *call.weights;
  for (int64_t row = 0; row < call.rows; ++row) {
    const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
    const int64_t rowOffset = row % kRowBlock * call.aRowStride;
    for (int64_t channel = 0; channel < kPanel; ++channel) {
      int32_t acc = 0;
      for (int64_t k = call.kBegin; k < call.kEnd; k += 2) {
        const uint8_t* a = blocks[k / kBlockK] + rowOffset + k % kBlockK;
        const int8_t* pair = weightPair(w, call.panel, channel, k);
        // When K is odd the last weight of the pair is padding, zero, whatever a[1] holds.
        const int32_t exact = a[0] * pair[0] + a[1] * pair[1];
        const int32_t saturated = exact < kMin16 ? kMin16 : exact > kMax16 ? kMax16 : exact;
        call.saturations[channel] += exact != saturated;
        acc += saturated;
      }
      call.acc[row * kPanel + channel] = acc;
    }
  }
}

}  // namespace

const Saturating16Kernel scalarSaturating16 = gemm_u8s8_s16_scalar;

}  // namespace faultline
