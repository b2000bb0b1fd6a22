// Profile kernels with NEON, for i8mm processors too: 12 rows × 8 lanes are 24 of the 32 registers.
#include <arm_neon.h>

#include "kernels/profile_template.h"

namespace faultline {
namespace {

struct Vector {
  using F = float32x4_t;
  static constexpr int64_t kLanes = 4;
  static constexpr int kRows = 12;
  static F load(const float* p) { return vld1q_f32(p); }
  static void store(float* p, F v) { vst1q_f32(p, v); }
  static F broadcast(float v) { return vdupq_n_f32(v); }
  static F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
};

}  // namespace

const ProfileKernels neonDotprodProfile = profileKernels<Vector>();

}  // namespace faultline
