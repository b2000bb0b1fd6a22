// Profile kernels with AVX-512: 12 rows × 32 lanes are 24 of the 32 registers.
#include <immintrin.h>

#include "kernels/profile_template.h"

namespace faultline {
namespace {

struct Vector {
  using F = __m512;
  static constexpr int64_t kLanes = 16;
  static constexpr int kRows = 12;
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F broadcast(float v) { return _mm512_set1_ps(v); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace

const ProfileKernels avx512vnniProfile = profileKernels<Vector>();

}  // namespace faultline
