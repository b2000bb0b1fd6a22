// The vector kernels divide by the scale without a division: q0 = x · inv, then one correction with the exact
// remainder, q = fma(fma(−q0, scale, x), inv, q0). That is nearly always the correctly rounded quotient, and what
// matters is only that it rounds to the same integer. It could fail only next to a tie: farther than two floats from
// (k + ½) · scale, the quotient is more than its own error (below one unit in the last place) away from k + ½.
//
// Powers of two scale every step exactly, so the mantissas of the scale are all cases there are: 2^23 · 255 ties ·
// 5 neighbours. By default a subset with a prime stride; all of them with FAULTLINE_QUOTIENT_STRIDE=1 (ten seconds a
// table; run when the quotient of a kernel changes).
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch/dispatch.h"

namespace faultline {
namespace {

constexpr uint32_t kMantissas = 1u << 23;
constexpr uint32_t kDefaultStride = 61;
constexpr int kTies = 255;
constexpr int32_t kNeighbours = 2;

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

uint32_t stride() {
  const char* wanted = std::getenv("FAULTLINE_QUOTIENT_STRIDE");
  return wanted ? static_cast<uint32_t>(std::atoi(wanted)) : kDefaultStride;
}

TEST_CASE("quantizeRow: the quotient without division rounds to the integer of the true quotient") {
  constexpr size_t kCount = kTies * (2 * kNeighbours + 1);
  std::vector<float> x(kCount);
  std::vector<uint8_t> wanted(kCount), codes(kCount);
  for (uint32_t mantissa = 0; mantissa < kMantissas; mantissa += stride()) {
    AffineParams params;
    params.scale = fromBits(bitsOf(1.0f) | mantissa);
    params.inverse = 1.0f / params.scale;
    size_t i = 0;
    for (int k = 0; k < kTies; ++k) {
      const uint32_t tie = bitsOf((static_cast<float>(k) + 0.5f) * params.scale);
      for (int32_t d = -kNeighbours; d <= kNeighbours; ++d) x[i++] = fromBits(tie + static_cast<uint32_t>(d));
    }
    scalarKernels()->quantizeRow(x.data(), kCount, params, wanted.data(), kBlockK);
    for (int isa = 1; isa < kIsaCount; ++isa) {
      const KernelTable* table = kernelsFor(static_cast<Isa>(isa));
      if (table == nullptr) continue;
      table->quantizeRow(x.data(), kCount, params, codes.data(), kBlockK);
      if (codes == wanted) continue;
      CAPTURE(mantissa);
      CAPTURE(std::string(isaName(table->isa)));
      REQUIRE(codes == wanted);
    }
  }
}

}  // namespace
}  // namespace faultline
