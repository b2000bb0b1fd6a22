// Range and quantization of every kernel table this machine can run, against the definition in kernels/kernel.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "random.h"
#include "tables.h"

namespace faultline {
namespace {

using test::name;
using test::Random;
using test::tables;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// 0, 1, around vectors of 4, 8, 16 and 32 floats and around a block of 64, a prime, a long one.
const std::vector<int64_t> kLengths = {0,  1,  2,  3,  4,  5,  7,  8,  9,   15,  16,
                                       17, 31, 32, 33, 63, 64, 65, 97, 127, 128, 1009};

TEST_CASE("scanRange extends the range by the smallest and the largest element") {
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    for (const int64_t n : kLengths) {
      CAPTURE(n);
      Random random(static_cast<uint64_t>(n));
      for (int64_t place = 0; place < std::max<int64_t>(n, 1); ++place) {
        std::vector<float> x = random.floats(n, 0.5f);
        if (n > 0) x[static_cast<size_t>(place)] = place % 2 ? 3.0f : -3.0f;
        float low = -0.25f, high = 0.125f, min = low, max = high;
        for (const float v : x) {
          low = std::min(low, v);
          high = std::max(high, v);
        }
        REQUIRE(table->scanRange(x.data(), n, &min, &max));
        REQUIRE(min == low);
        REQUIRE(max == high);
      }
    }
  }
}

TEST_CASE("scanRange refuses NaN and infinity at every position, and nothing finite") {
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    for (const int64_t n : {1, 7, 8, 33, 64, 97}) {
      for (int64_t place = 0; place < n; ++place) {
        for (const float bad : {std::nanf(""), kInfinity, -kInfinity}) {
          std::vector<float> x(static_cast<size_t>(n), 1.0f);
          x[static_cast<size_t>(place)] = bad;
          float min = 0, max = 0;
          REQUIRE_FALSE(table->scanRange(x.data(), n, &min, &max));
        }
        std::vector<float> x(static_cast<size_t>(n), -std::numeric_limits<float>::max());
        x[static_cast<size_t>(place)] = std::numeric_limits<float>::denorm_min();
        float min = 0, max = 0;
        REQUIRE(table->scanRange(x.data(), n, &min, &max));
      }
    }
  }
}

// As kernel.h defines it, in double: the quotient of two floats is rounded to fp32 first.
uint8_t codeOf(float x, const AffineParams& params) {
  const float quotient = static_cast<float>(static_cast<double>(x) / static_cast<double>(params.scale));
  const double q = std::nearbyint(static_cast<double>(quotient)) + params.zeroPoint;
  return static_cast<uint8_t>(std::min(std::max(q, 0.0), static_cast<double>(params.qmax)));
}

void checkQuantize(const KernelTable* table, const std::vector<float>& x, const AffineParams& params,
                   int64_t blockStride) {
  constexpr uint8_t kUntouched = 0xcd;
  const int64_t n = static_cast<int64_t>(x.size());
  std::vector<uint8_t> out(static_cast<size_t>((n / kBlockK + 2) * blockStride), kUntouched);
  std::vector<uint8_t> wanted = out;
  for (int64_t i = 0; i < n; ++i) {
    wanted[static_cast<size_t>(i / kBlockK * blockStride + i % kBlockK)] = codeOf(x[static_cast<size_t>(i)], params);
  }
  table->quantizeRow(x.data(), n, params, out.data(), blockStride);
  REQUIRE(out == wanted);
}

TEST_CASE("quantizeRow gives the defined codes and writes exactly n bytes") {
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    Random random(7);
    for (const int64_t n : kLengths) {
      for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        // The scales below 2^-100 and above 2^100 take the true division.
        for (const float magnitude : {1.0f, 1e-3f, 3e4f, 1e-37f, 1e-43f, 3e38f}) {
          CAPTURE(n);
          CAPTURE(bits);
          CAPTURE(magnitude);
          const std::vector<float> x = random.floats(n, magnitude);
          float min = 0, max = 0;
          scalarKernels()->scanRange(x.data(), n, &min, &max);
          checkQuantize(table, x, chooseAsymmetric(min, max, bits), n % 2 ? kBlockK : kRowBlock * kBlockK);
        }
      }
    }
  }
}

TEST_CASE("quantizeRow rounds ties to even, as the true quotient does") {
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    Random random(11);
    for (int trial = 0; trial < 200; ++trial) {
      AffineParams params;
      params.scale = std::ldexp(1.0f + 0.5f * (random.uniform() + 1.0f), static_cast<int>(random.integer(-90, 90)));
      params.inverse = 1.0f / params.scale;
      params.zeroPoint = static_cast<int32_t>(random.integer(0, 255));
      std::vector<float> x;
      for (int k = -params.zeroPoint; k < 255 - params.zeroPoint; ++k) {
        const float tie = (static_cast<float>(k) + 0.5f) * params.scale;
        for (const float v : {std::nextafterf(tie, -kInfinity), tie, std::nextafterf(tie, kInfinity)}) x.push_back(v);
      }
      checkQuantize(table, x, params, kBlockK);
    }
  }
}

}  // namespace
}  // namespace faultline
