// Profile kernels with AVX2 and FMA: 6 rows × 16 lanes are 12 of the 16 registers.
#include <immintrin.h>

#include "kernels/profile_template.h"

namespace faultline {
namespace {

struct Vector {
  using F = __m256;
  static constexpr int64_t kLanes = 8;
  static constexpr int kRows = 6;
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
  static F broadcast(float v) { return _mm256_set1_ps(v); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace

const ProfileKernels avx2Profile = profileKernels<Vector>();

}  // namespace faultline
