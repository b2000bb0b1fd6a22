// Profile kernels for any processor. The x86-64 baseline has no fused multiply-add, and the one of the C library costs
// a call an element; here it is built from fp64, eight independent lanes at a time.
#include <bit>

#include "kernels/profile_template.h"

namespace faultline {
namespace {

// a · b + c, rounded once. The product of two floats is exact in fp64; the sum is rounded to odd there (the last bit
// is set when anything was lost), after which rounding to fp32 cannot round twice: 53 ≥ 2 · 24 + 2 bits.
inline float fusedMultiplyAdd(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  const double sum = product + addend;
  const double part = sum - product;
  const double lost = (product - (sum - part)) + (addend - part);  // exact: TwoSum
  const int64_t bits = std::bit_cast<int64_t>(sum);
  // Towards the lost part: away from zero where the signs agree.
  const int64_t step = (lost > 0.0) == (sum > 0.0) ? 1 : -1;
  const bool inexact = lost > 0.0 || lost < 0.0;  // false where c is infinite already
  const bool even = (bits & 1) == 0;
  return static_cast<float>(std::bit_cast<double>(bits + (inexact && even ? step : 0)));
}

struct Vector {
  static constexpr int64_t kLanes = 8;
  static constexpr int kRows = 2;
  struct F {
    float lane[kLanes];
  };
  static F load(const float* p) {
    F v;
    __builtin_memcpy(v.lane, p, sizeof v.lane);
    return v;
  }
  static void store(float* p, const F& v) { __builtin_memcpy(p, v.lane, sizeof v.lane); }
  static F broadcast(float value) {
    F v;
    for (float& lane : v.lane) lane = value;
    return v;
  }
  static F fma(const F& a, const F& b, const F& c) {
    F v;
    for (int64_t i = 0; i < kLanes; ++i) v.lane[i] = fusedMultiplyAdd(a.lane[i], b.lane[i], c.lane[i]);
    return v;
  }
};

}  // namespace

const ProfileKernels scalarProfile = profileKernels<Vector>();

}  // namespace faultline
