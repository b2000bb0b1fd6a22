// The emulation of pairwise 16-bit saturation: every instruction set against plain integers, and the cases whose
// answer is known by hand.
#include "ops/saturating16.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/matmul.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

struct Reference {
  std::vector<int32_t> acc;     // [rows, n], no zero point
  std::vector<int64_t> events;  // [n]
};

Reference multiply(const std::vector<uint8_t>& a, const std::vector<int8_t>& w, int64_t rows, int64_t n, int64_t k,
                   int64_t kBegin, int64_t kEnd) {
  Reference r{std::vector<int32_t>(static_cast<size_t>(rows * n)), std::vector<int64_t>(static_cast<size_t>(n))};
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t channel = 0; channel < n; ++channel) {
      int64_t sum = 0;
      for (int64_t i = kBegin; i < kEnd; i += 2) {
        int64_t pair = 0;
        for (int64_t j = i; j < std::min(i + 2, kEnd); ++j) {
          pair += int64_t{a[static_cast<size_t>(row * k + j)]} * w[static_cast<size_t>(channel * k + j)];
        }
        const int64_t kept = std::clamp<int64_t>(pair, -32768, 32767);
        r.events[static_cast<size_t>(channel)] += kept != pair;
        sum += kept;
      }
      r.acc[static_cast<size_t>(row * n + channel)] = static_cast<int32_t>(sum);
    }
  }
  return r;
}

struct Layout {
  std::string name;
  Saturating16Kernel kernel;
  int kGroup;
};

// The kernel of every instruction set this processor has; the scalar one on both layouts.
std::vector<Layout> layouts() {
  std::vector<Layout> all = {{"scalar, groups of 8", saturating16For(Isa::scalar), 8}};
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (cpuHas(isa)) all.push_back({std::string(isaName(isa)), saturating16For(isa), isa == Isa::neonI8mm ? 8 : 4});
  }
  return all;
}

// u8 rows in the layout of GemmCall: row blocks of 16, [block of 64][row][64].
struct PackedRows {
  PackedRows(const std::vector<uint8_t>& a, int64_t rows, int64_t k) : kBlocks(ceilDiv(k, kBlockK)) {
    const int64_t rowBlocks = ceilDiv(rows, kRowBlock);
    // Rows and bytes that do not exist hold 255, which must not matter.
    bytes.assign(static_cast<size_t>(rowBlocks * kBlocks * kRowBlock * kBlockK), 255);
    for (int64_t i = 0; i < rowBlocks * kBlocks; ++i) table.push_back(bytes.data() + i * kRowBlock * kBlockK);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < k; ++i) {
        const int64_t block = r / kRowBlock * kBlocks + i / kBlockK;
        bytes[static_cast<size_t>((block * kRowBlock + r % kRowBlock) * kBlockK + i % kBlockK)] =
            a[static_cast<size_t>(r * k + i)];
      }
    }
  }
  int64_t kBlocks;
  std::vector<uint8_t> bytes;
  std::vector<const uint8_t*> table;
};

// Weights that saturate often: mostly at the ends of the range.
std::vector<int8_t> heavyCodes(Random& random, int64_t count) {
  std::vector<int8_t> codes(static_cast<size_t>(count));
  for (int8_t& c : codes) {
    c = static_cast<int8_t>(random.chance(0.5) ? random.pick<int>({-128, -127, 127}) : random.integer(-128, 127));
  }
  return codes;
}

std::vector<uint8_t> heavyActivations(Random& random, int64_t count) {
  std::vector<uint8_t> a(static_cast<size_t>(count));
  for (uint8_t& q : a) q = static_cast<uint8_t>(random.chance(0.4) ? 255 : random.integer(0, 255));
  return a;
}

TEST_CASE("saturating16 kernels have the sums and the events of the definition") {
  for (const Layout& layout : layouts()) {
    CAPTURE(layout.name);
    Random random(17);
    for (const int64_t k : {1, 2, 3, 4, 7, 16, 63, 64, 65, 130, 577}) {
      for (const int64_t rows : {1, 3, 4, 8, 15, 16, 17, 33}) {
        const int64_t n = random.integer(1, 40);
        CAPTURE(k);
        CAPTURE(rows);
        CAPTURE(n);
        const std::vector<uint8_t> a = heavyActivations(random, rows * k);
        const std::vector<int8_t> codes = heavyCodes(random, n * k);
        PackedMatrix w;
        packMatrix(codes.data(), nullptr, n, k, 8, WeightStorage::int8, 0, layout.kGroup, &w);
        const PackedRows packed(a, rows, k);
        const int64_t kBegin = k > 64 ? 16 * random.integer(0, 3) : 0;
        const Reference wanted = multiply(a, codes, rows, n, k, kBegin, k);
        for (int64_t panel = 0; panel < w.panels; ++panel) {
          std::vector<int32_t> acc(static_cast<size_t>(rows * kPanel), -1);
          std::vector<int64_t> events(kPanel, 1000);
          layout.kernel({.a = packed.table.data(),
                         .rows = rows,
                         .weights = &w,
                         .panel = panel,
                         .kBegin = kBegin,
                         .kEnd = k,
                         .acc = acc.data(),
                         .saturations = events.data()});
          for (int64_t channel = 0; channel < std::min(kPanel, n - panel * kPanel); ++channel) {
            const int64_t at = panel * kPanel + channel;
            REQUIRE(events[static_cast<size_t>(channel)] - 1000 == wanted.events[static_cast<size_t>(at)]);
            for (int64_t r = 0; r < rows; ++r) {
              REQUIRE(acc[static_cast<size_t>(r * kPanel + channel)] == wanted.acc[static_cast<size_t>(r * n + at)]);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("255 · 127 saturates every pair of a full one, and 32767 itself is no saturation") {
  for (const Layout& layout : layouts()) {
    CAPTURE(layout.name);
    const auto run = [&](std::vector<uint8_t> a, std::vector<int8_t> codes, int64_t* events) {
      const int64_t k = static_cast<int64_t>(a.size());
      PackedMatrix w;
      packMatrix(codes.data(), nullptr, 1, k, 8, WeightStorage::int8, 0, layout.kGroup, &w);
      const PackedRows packed(a, 1, k);
      std::vector<int32_t> acc(kPanel);
      std::vector<int64_t> counts(kPanel);
      layout.kernel({.a = packed.table.data(),
                     .rows = 1,
                     .weights = &w,
                     .kEnd = k,
                     .acc = acc.data(),
                     .saturations = counts.data()});
      *events = counts[0];
      return acc[0];
    };
    int64_t events = 0;
    // 101 elements: 50 full pairs of 64770, saturated, and one product of 32385, which fits.
    CHECK(run(std::vector<uint8_t>(101, 255), std::vector<int8_t>(101, 127), &events) == 50 * 32767 + 32385);
    CHECK(events == 50);
    CHECK(run(std::vector<uint8_t>(100, 255), std::vector<int8_t>(100, -128), &events) == 50 * -32768);
    CHECK(events == 50);
    // 255 · 64 + 255 · 64 = 32640: the largest sum of reduceRange.
    CHECK(run(std::vector<uint8_t>(100, 255), std::vector<int8_t>(100, 64), &events) == 50 * 32640);
    CHECK(events == 0);
    // 255 · 127 + 191 · 2 = 32767 exactly, and one more; −128 · 255 − 128 = −32768 exactly, and one step beyond.
    CHECK(run({255, 191}, {127, 2}, &events) == 32767);
    CHECK(events == 0);
    CHECK(run({255, 192, 0, 0}, {127, 2, 0, 0}, &events) == 32767);
    CHECK(events == 1);
    CHECK(run({255, 128}, {-128, -1}, &events) == -32768);
    CHECK(events == 0);
    CHECK(run({255, 129}, {-128, -1}, &events) == -32768);
    CHECK(events == 1);
    // Neighbours from different pairs do not meet.
    CHECK(run({0, 255, 255, 0}, {127, 127, 127, 127}, &events) == 2 * 255 * 127);
    CHECK(events == 0);
  }
}

TEST_CASE("a saturating product equals the exact one when no pair can saturate") {
  Random random(3);
  for (const int64_t blockSize : {0, 16, 32, 128}) {
    for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
      const int64_t m = 37, n = 21, k = 150;
      const int largest = storage == WeightStorage::int4 ? 8 : 64;
      std::vector<int8_t> codes(static_cast<size_t>(n * k));
      for (int8_t& c : codes) c = static_cast<int8_t>(random.integer(-largest, largest - 1));
      const int64_t groups = blockSize > 0 ? ceilDiv(k, blockSize) : 1;
      std::vector<float> scales(static_cast<size_t>(groups * n));
      for (float& s : scales) s = 0.01f + 0.01f * random.uniform() * 0.5f;
      PackedMatrix w;
      packMatrix(codes.data(), scales.data(), n, k, 8, storage, blockSize, kernels().kGroup, &w);
      const std::vector<float> x = random.floats(m * k, 3.0f);
      const std::vector<float> bias = random.floats(n, 1.0f);
      const std::vector<float> residual = random.floats(m * n, 1.0f);
      std::vector<float> exact(static_cast<size_t>(m * n)), saturating(exact.size());
      std::vector<int64_t> events(static_cast<size_t>(n));
      MatmulDynamicArgs args;
      args.x = x.data();
      args.m = m;
      args.ldx = k;
      args.weights = &w;
      args.epilogue = {bias.data(), residual.data(), -2.0f, 2.0f};
      args.out = exact.data();
      REQUIRE(matmulDynamic(args));
      args.out = saturating.data();
      args.saturating16 = true;
      args.saturations = events.data();
      REQUIRE(matmulDynamic(args));
      CHECK(saturating == exact);
      CHECK(events == std::vector<int64_t>(static_cast<size_t>(n), 0));
    }
  }
}

TEST_CASE("reduceRange stops every saturation, at codes up to 64 with scale absMax / 64") {
  const int64_t m = 9, n = 18, k = 64;
  std::vector<float> weights(static_cast<size_t>(n * k));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = (i / 2 % 2 ? -1.0f : 1.0f) * 0.75f;
  std::vector<float> x(static_cast<size_t>(m * k), 1.0f);
  for (const bool reduceRange : {false, true}) {
    std::vector<int8_t> codes(weights.size());
    std::vector<float> scales(static_cast<size_t>(n));
    quantizeWeights(weights.data(), n, k, 8, 0, codes.data(), scales.data(), reduceRange);
    CHECK(*std::max_element(codes.begin(), codes.end()) == (reduceRange ? 64 : 127));
    CHECK(scales[0] == 0.75f / (reduceRange ? 64.0f : 127.0f));
    PackedMatrix w;
    packMatrix(codes.data(), scales.data(), n, k, 8, WeightStorage::int8, 0, kernels().kGroup, &w);
    std::vector<int32_t> acc(static_cast<size_t>(m * n));
    std::vector<int64_t> events(static_cast<size_t>(n));
    MatmulDynamicArgs args;
    args.x = x.data();
    args.m = m;
    args.ldx = k;
    args.weights = &w;
    args.acc = acc.data();
    args.saturating16 = true;
    args.saturations = events.data();
    REQUIRE(matmulDynamic(args));
    // x = 1 is code 255, zero point 0; a row holds 16 positive and 16 negative pairs.
    for (const int64_t count : events) CHECK(count == (reduceRange ? 0 : m * 32));
    for (const int32_t c : acc) CHECK(c == (reduceRange ? 0 : 16 * (32767 - 32768)));
  }
}

TEST_CASE("events do not depend on the number of threads") {
  Random random(29);
  const int64_t m = 300, n = 70, k = 200;
  const std::vector<float> x = random.floats(m * k, 1.0f);
  PackedMatrix w;
  packMatrix(heavyCodes(random, n * k).data(), nullptr, n, k, 8, WeightStorage::int8, 0, kernels().kGroup, &w);
  std::vector<int64_t> first;
  for (const int count : {1, 2, 3}) {
    setThreads(count);
    std::vector<int32_t> acc(static_cast<size_t>(m * n));
    std::vector<int64_t> events(static_cast<size_t>(n));
    MatmulDynamicArgs args;
    args.x = x.data();
    args.m = m;
    args.ldx = k;
    args.weights = &w;
    args.acc = acc.data();
    args.saturating16 = true;
    args.saturations = events.data();
    REQUIRE(matmulDynamic(args));
    if (first.empty()) first = events;
    CHECK(events == first);
  }
  setThreads(0);
}

}  // namespace
}  // namespace faultline
