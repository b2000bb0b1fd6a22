// Depthwise convolution with usdot, the unsigned by signed dot product that comes with the matrix extension.
#include "kernels/neon/depthwise.h"

#include "kernels/neon/plane.h"

namespace faultline {
namespace {

struct Dot {
  static constexpr int32_t kOffset = 0;
  FAULTLINE_INLINE static int32x4_t add(int32x4_t c, uint8x16_t taps, int8x16_t weights) {
    return vusdotq_s32(c, taps, weights);
  }
};

void depthwise_u8s8_s32_neon_i8mm(const DepthwiseCall& call) { multiply<Dot>(call); }
void plane_u8s8_s32_neon_i8mm(const PlaneCall& call) { multiplyPlane<Dot>(call); }

}  // namespace

const DepthwiseKernels neonI8mmDepthwise = {quantizeTaps_f32_u8_neon, depthwise_u8s8_s32_neon_i8mm,
                                            interleaveRows_u8_neon, plane_u8s8_s32_neon_i8mm};

}  // namespace faultline
