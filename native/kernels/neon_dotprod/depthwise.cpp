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

}  // namespace

const DepthwiseKernels neonDotprodDepthwise = {quantizeTaps, multiply<Dot>, interleaveRows, multiplyPlane<Dot>};

}  // namespace faultline
