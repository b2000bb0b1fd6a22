// The profile kernels of every instruction set against their definitions, bit for bit, and whole profiles between
// instruction sets. What the profile means is tested from TypeScript (test/lib/native/error_profile.test.ts).
#include "ops/error_profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch/dispatch.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

std::vector<Isa> instructionSets() {
  std::vector<Isa> all;
  for (int i = 0; i < kIsaCount; ++i) {
    if (cpuHas(static_cast<Isa>(i))) all.push_back(static_cast<Isa>(i));
  }
  return all;
}

// Values of many magnitudes, so that sums round in many ways.
std::vector<float> spread(Random& random, int64_t count) {
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = std::ldexp(random.uniform(), static_cast<int>(random.integer(-30, 30)));
  return v;
}

TEST_CASE("profile products are chains of fused multiply-adds in the order of k") {
  for (const Isa isa : instructionSets()) {
    CAPTURE(std::string(isaName(isa)));
    const ProfileKernels& kernels = profileKernelsFor(isa);
    Random random(5);
    for (const int64_t k : {1, 2, 7, 64, 129}) {
      for (const int64_t rows : {1, 2, 3, 5, 6, 11, 12, 13, 25, 48}) {
        const int64_t lda = k + 3, tapStep = 48;
        const std::vector<float> a = spread(random, rows * std::max(lda, k * tapStep));
        const std::vector<float> panel = spread(random, k * kProfileLanes);
        std::vector<float> out(static_cast<size_t>(rows * kProfileLanes)), taps = out, wanted = out, wantedTaps = out;
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t lane = 0; lane < kProfileLanes; ++lane) {
            float sum = 0.0f, tapSum = 0.0f;
            for (int64_t i = 0; i < k; ++i) {
              const float w = panel[static_cast<size_t>(i * kProfileLanes + lane)];
              sum = std::fmaf(a[static_cast<size_t>(r * lda + i)], w, sum);
              tapSum = std::fmaf(a[static_cast<size_t>(r * k * tapStep + i * tapStep + lane % kPanel)], w, tapSum);
            }
            wanted[static_cast<size_t>(r * kProfileLanes + lane)] = sum;
            wantedTaps[static_cast<size_t>(r * kProfileLanes + lane)] = tapSum;
          }
        }
        kernels.product(a.data(), lda, rows, k, panel.data(), out.data());
        kernels.depthwise(a.data(), k * tapStep, tapStep, rows, k, panel.data(), taps.data());
        REQUIRE(out == wanted);
        REQUIRE(taps == wantedTaps);
      }
    }
  }
}

TEST_CASE("a fused multiply-add of every instruction set rounds once, also where that is hard") {
  // a · b + c with the exact sum just beside, or on, the middle between two floats; cancellation; subnormal results.
  const float tiny = 0x1p-24f, small = 0x1p-60f;
  const std::vector<std::vector<float>> cases = {
      {1.0f + 0x1p-23f, 1.0f + 0x1p-23f, -1.0f},
      {tiny, 1.0f, 1.0f},
      {tiny, 1.0f + 0x1p-23f, 1.0f},
      {tiny, 1.0f - tiny, 1.0f},
      {-tiny, 1.0f + 0x1p-23f, -1.0f},
      {tiny, 1.0f, 1.0f + 0x1p-23f},
      {small, small, 1.0f + 0x1p-23f},
      {-small, small, 1.0f},
      {3.0f, 0x1p-75f, 0x1p-100f},
      {0x1p-75f, 0x1.8p-75f, 0.0f},
      {0x1p-100f, -0x1p-49f, 0x1p-149f},
      {0x1.fffffep127f, 1.0f, -0x1.fffffep127f},
      {0x1.fffffep127f, 0x1.fffffep127f, 1.0f},
      {0.0f, -1.0f, 0.0f},
  };
  for (const Isa isa : instructionSets()) {
    CAPTURE(std::string(isaName(isa)));
    for (size_t i = 0; i < cases.size(); ++i) {
      CAPTURE(i);
      // The chain c · 1, then + a · b.
      const std::vector<float> factors = {cases[i][2], cases[i][0]};
      std::vector<float> panel(2 * kProfileLanes, 1.0f), out(kProfileLanes);
      std::fill(panel.begin() + kProfileLanes, panel.end(), cases[i][1]);
      profileKernelsFor(isa).product(factors.data(), 2, 1, 2, panel.data(), out.data());
      for (const float v : out) REQUIRE(v == std::fmaf(cases[i][0], cases[i][1], cases[i][2]));
    }
    Random random(23);
    for (int trial = 0; trial < 20000; ++trial) {
      // Addends 22 to 27 binary places above the product: the rounding bit and what lies under it.
      const float a = 1.0f + std::fabs(random.uniform()), b = random.uniform();
      const float c = std::ldexp(1.0f + std::fabs(random.uniform()), static_cast<int>(random.integer(20, 28)));
      const std::vector<float> factors = {c, a};
      std::vector<float> panel(2 * kProfileLanes, 1.0f), out(kProfileLanes);
      std::fill(panel.begin() + kProfileLanes, panel.end(), b);
      profileKernelsFor(isa).product(factors.data(), 2, 1, 2, panel.data(), out.data());
      REQUIRE(out[7] == std::fmaf(a, b, c));
    }
  }
}

TEST_CASE("split gives the engine's codes, and errors that lead back to the value") {
  for (const Isa isa : instructionSets()) {
    CAPTURE(std::string(isaName(isa)));
    Random random(9);
    for (const int64_t n : {1, 7, 8, 63, 64, 65, 200}) {
      for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        const std::vector<float> x = random.floats(n, 2.0f);
        // Narrower than the values, so that some are clipped; the plain kernel clips alike.
        const AffineParams params = chooseAsymmetric(-1.0f, 1.5f, bits);
        std::vector<uint8_t> q(x.size()), engine(roundUp(x.size(), size_t{kBlockK}));
        std::vector<float> rounding(x.size()), clipping(x.size());
        const SplitSums sums =
            profileKernelsFor(isa).split(x.data(), n, params, q.data(), rounding.data(), clipping.data());
        scalarKernels()->quantizeRow(x.data(), n, params, engine.data(), kBlockK);
        int64_t clipped = 0;
        for (size_t i = 0; i < x.size(); ++i) {
          REQUIRE(q[i] == engine[i]);
          const double scale = params.scale;
          const double u = std::nearbyint(static_cast<double>(x[i] / params.scale)) + params.zeroPoint;
          REQUIRE(rounding[i] == static_cast<float>(scale * (u - params.zeroPoint) - x[i]));
          REQUIRE(clipping[i] == static_cast<float>(scale * (q[i] - u)));
          clipped += q[i] != u;
        }
        REQUIRE(sums.clipped == clipped);
      }
    }
  }
}

TEST_CASE("a profile has the same bits on every instruction set") {
  Random random(31);
  const ConvWeightShape shape{21, 3, 3, 5, 1}, depthwise{18, 3, 3, 1, 18};
  for (const ConvWeightShape& s : {shape, depthwise}) {
    const std::vector<float> w = random.floats(s.outChannels * s.k(), 1.0f);
    const std::vector<float> x = random.floats(3 * 11 * 8 * s.inChannels(), 1.0f);
    ErrorProfileOptions options;
    options.range = RangeSource::fixed;
    options.min = -0.75f;
    options.max = 0.5f;
    options.saturating16 = true;
    std::vector<double> first;
    for (int i = 0; i < kIsaCount; ++i) {
      const KernelTable* table = kernelsFor(static_cast<Isa>(i));
      if (table == nullptr) continue;
      CAPTURE(std::string(isaName(table->isa)));
      useKernels(table);
      ErrorProfile profile(w.data(), s, options);
      REQUIRE(profile.add(x.data(), 3, 11, 8, {2, 1, 1, 1, 1, 1, 0, 1}, "test"));
      std::vector<double> all = {profile.activations().sums.roundingSquared, profile.activations().sums.clippingSquared,
                                 static_cast<double>(profile.activations().sums.clipped)};
      for (int64_t channel = 0; channel < s.outChannels; ++channel) {
        for (int which = 0; which < kProfileSums; ++which) all.push_back(profile.sum(channel, which));
        all.push_back(static_cast<double>(profile.saturations()[static_cast<size_t>(channel)]));
      }
      if (first.empty()) first = all;
      REQUIRE(std::memcmp(all.data(), first.data(), all.size() * sizeof(double)) == 0);
    }
    useKernels(nullptr);
    REQUIRE(first[2] > 0);
  }
}

}  // namespace
}  // namespace faultline
