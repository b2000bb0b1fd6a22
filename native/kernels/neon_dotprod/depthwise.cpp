// Depthwise convolution with sdot: taps become signed by subtracting 128.
#include "kernels/neon/depthwise.h"

#include "kernels/neon/plane.h"

namespace faultline {
namespace {

struct Dot {
  static constexpr int32_t kOffset = 128;
  FAULTLINE_INLINE static int32x4_t add(int32x4_t c, uint8x16_t taps, int8x16_t weights) {
    return vdotq_s32(c, vreinterpretq_s8_u8(veorq_u8(taps, vdupq_n_u8(0x80))), weights);
  }
};

void depthwise_u8s8_s32_neon_dotprod(const DepthwiseCall& call) { multiply<Dot>(call); }
void plane_u8s8_s32_neon_dotprod(const PlaneCall& call) { multiplyPlane<Dot>(call); }

}  // namespace

const DepthwiseKernels neonDotprodDepthwise = {quantizeTaps_f32_u8_neon, depthwise_u8s8_s32_neon_dotprod,
                                               interleaveRows_u8_neon, plane_u8s8_s32_neon_dotprod};

}  // namespace faultline
