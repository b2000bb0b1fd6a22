// Packing: every code comes back from the layout, and the padding and the sums are what kernels rely on.
#include "quant/packed_matrix.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "quant/affine.h"

using namespace faultline;

namespace {

std::vector<int8_t> randomCodes(int64_t count, int limit, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> code(-limit, limit);
  std::vector<int8_t> codes(static_cast<size_t>(count));
  for (int8_t& c : codes) c = static_cast<int8_t>(code(random));
  return codes;
}

struct Shape {
  int64_t n, k;
};
// One element, a panel and a block ± 1, primes, several of each.
constexpr Shape kShapes[] = {{1, 1}, {15, 63}, {16, 64}, {17, 65}, {31, 127}, {33, 129}, {7, 251}, {64, 320}};

}  // namespace

TEST_CASE("every code is read back from the packed layout") {
  for (const Shape s : kShapes) {
    for (const int kGroup : {4, 8}) {
      for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
        const int bits = storage == WeightStorage::int4 ? 4 : 8;
        const std::vector<int8_t> codes = randomCodes(s.n * s.k, symmetricMax(bits), 7);
        PackedMatrix m;
        packMatrix(codes.data(), nullptr, s.n, s.k, bits, storage, 0, kGroup, &m);
        int wrong = 0;
        for (int64_t n = 0; n < s.n; ++n) {
          for (int64_t k = 0; k < s.k; ++k) wrong += packedCode(m, n, k) != codes[static_cast<size_t>(n * s.k + k)];
        }
        CAPTURE(s.n);
        CAPTURE(s.k);
        CAPTURE(kGroup);
        CAPTURE(bits);
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("padding to whole panels and blocks holds zero weights") {
  for (const Shape s : kShapes) {
    for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
      const std::vector<int8_t> ones(static_cast<size_t>(s.n * s.k), 1);
      PackedMatrix m;
      packMatrix(ones.data(), nullptr, s.n, s.k, 4, storage, 0, 4, &m);
      int wrong = 0;
      for (int64_t n = 0; n < m.paddedN(); ++n) {
        for (int64_t k = 0; k < m.kBlocks * kBlockK; ++k) wrong += packedCode(m, n, k) != (n < s.n && k < s.k ? 1 : 0);
      }
      CAPTURE(s.n);
      CAPTURE(s.k);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("sums are those of the codes of each channel and group, and their split form adds up again") {
  for (const Shape s : kShapes) {
    for (const int64_t blockSize : {0, 16, 32, 128}) {
      const std::vector<int8_t> codes = randomCodes(s.n * s.k, 127, 11);
      PackedMatrix m;
      packMatrix(codes.data(), nullptr, s.n, s.k, 8, WeightStorage::int8, blockSize, 4, &m);
      CHECK(m.scaleGroups == (blockSize > 0 ? ceilDiv(s.k, blockSize) : 1));
      const int64_t span = blockSize > 0 ? blockSize : s.k;
      int wrong = 0;
      for (int64_t g = 0; g < m.scaleGroups; ++g) {
        for (int64_t n = 0; n < s.n; ++n) {
          int32_t sum = 0;
          for (int64_t k = g * span; k < std::min(s.k, (g + 1) * span); ++k) {
            sum += codes[static_cast<size_t>(n * s.k + k)];
          }
          const size_t at = static_cast<size_t>(g * m.paddedN() + n);
          const int32_t low = static_cast<int16_t>(m.sumPairs[at] & 0xffff);
          const int32_t high = m.sumPairs[at] >> 16;
          wrong += m.sums[at] != sum;
          wrong += low + 128 * high != -sum;
        }
      }
      CAPTURE(s.n);
      CAPTURE(s.k);
      CAPTURE(blockSize);
      CHECK(wrong == 0);
    }
  }
}
