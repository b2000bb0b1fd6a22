// Quantizing and packing weights: what is read back from the packed layout is what was put in, and each quantized
// weight lies within half a step of its value.
#include <algorithm>
#include <cmath>

#include "fuzz/input.h"
#include "quant/affine.h"
#include "quant/packed_matrix.h"

using namespace faultline;
using fuzz::require;

namespace {

void checkRoundTrip(const PackedMatrix& m, const std::vector<int8_t>& codes) {
  for (int64_t n = 0; n < m.paddedN(); ++n) {
    for (int64_t k = 0; k < m.kBlocks * kBlockK; ++k) {
      const bool inside = n < m.n && k < m.k;
      require(packedCode(m, n, k) == (inside ? codes[static_cast<size_t>(n * m.k + k)] : 0), "a code is read back");
    }
  }
}

void checkSums(const PackedMatrix& m, const std::vector<int8_t>& codes) {
  const int64_t span = m.blockSize > 0 ? m.blockSize : m.k;
  for (int64_t g = 0; g < m.scaleGroups; ++g) {
    for (int64_t n = 0; n < m.n; ++n) {
      int32_t sum = 0;
      for (int64_t k = g * span; k < std::min((g + 1) * span, m.k); ++k) sum += codes[static_cast<size_t>(n * m.k + k)];
      require(m.sums[static_cast<size_t>(g * m.paddedN() + n)] == sum, "a sum is that of its codes");
    }
  }
}

// |w − scale · code| ≤ scale / 2, and two roundings to fp32 (the quotient and the scale) on top: codes are at most 127,
// so each moves the quotient by less than 127 · 2^-24.
constexpr double kHalfStep = 0.5 + 2 * 127 * 0x1p-24;
// Below the normal range a scale is itself rounded coarsely.
constexpr double kSmallestScale = 0x1p-126;

void checkQuantized(const std::vector<float>& w, const std::vector<int8_t>& codes, const std::vector<float>& scales,
                    const PackedMatrix& m) {
  const int64_t span = m.blockSize > 0 ? m.blockSize : m.k;
  for (int64_t n = 0; n < m.n; ++n) {
    for (int64_t k = 0; k < m.k; ++k) {
      const size_t at = static_cast<size_t>(n * m.k + k);
      const double scale = scales[static_cast<size_t>(k / span * m.n + n)];
      require(std::abs(codes[at]) <= symmetricMax(m.bits), "a code lies in the range of its bits");
      if (scale < kSmallestScale) continue;
      require(std::fabs(w[at] / scale - codes[at]) <= kHalfStep, "a code is the nearest one");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const int64_t n = in.integer(1, 70);
  const int64_t k = in.integer(1, 300);
  const int bits = static_cast<int>(in.integer(kMinBits, kMaxBits));
  const int64_t granularity = in.oneOf({0, -1, 16, 32, 64, 128, 256});
  const int64_t blockSize = std::max<int64_t>(granularity, 0);
  const int kGroup = in.flag() ? 8 : 4;
  const WeightStorage storage = bits <= 4 && in.flag() ? WeightStorage::int4 : WeightStorage::int8;

  PackedMatrix m;
  if (in.flag()) {
    const std::vector<float> w = in.finiteFloats(n * k, 1.0f);
    std::vector<int8_t> codes(w.size());
    std::vector<float> scales(static_cast<size_t>((blockSize > 0 ? ceilDiv(k, blockSize) : 1) * n));
    quantizeWeights(w.data(), n, k, bits, granularity, codes.data(), scales.data());
    packMatrix(codes.data(), scales.data(), n, k, bits, storage, blockSize, kGroup, &m);
    checkQuantized(w, codes, scales, m);
    checkRoundTrip(m, codes);
  } else {
    const bool int4 = storage == WeightStorage::int4;
    const std::vector<int8_t> codes = in.codes(n * k, int4 ? -8 : -128, int4 ? 7 : 127);
    packMatrix(codes.data(), nullptr, n, k, bits, storage, blockSize, kGroup, &m);
    checkRoundTrip(m, codes);
    checkSums(m, codes);
  }
  return 0;
}
