// Convolution as a processor without VNNI computes it: accumulators and events against plain loops, for every kernel
// table, whose packed layouts differ where pairs must not.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/conv2d.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

struct Case {
  int64_t n, size, kernel, groups, groupChannels, groupOutChannels, stride, pad;
  int64_t c() const { return groups * groupChannels; }
  int64_t oc() const { return groups * groupOutChannels; }
  int64_t out() const { return windowOutputs(size, kernel, stride, 1, pad, pad); }
  ConvWeightShape shape() const { return {oc(), kernel, kernel, groupChannels, groups}; }
};

struct Result {
  std::vector<int32_t> acc;     // [n, out, out, oc]
  std::vector<int64_t> events;  // [oc]
};

// K in its natural order: kernel row, kernel column, channel; pairs (0, 1), (2, 3), … Padding is the zero point.
Result reference(const Case& t, const std::vector<float>& x, const std::vector<int8_t>& codes, bool saturates) {
  Result r{{}, std::vector<int64_t>(static_cast<size_t>(t.oc()))};
  const int64_t floats = t.size * t.size * t.c();
  const int64_t k = t.kernel * t.kernel * t.groupChannels;
  for (int64_t n = 0; n < t.n; ++n) {
    const float* sample = x.data() + n * floats;
    const AffineParams p =
        chooseAsymmetric(*std::min_element(sample, sample + floats), *std::max_element(sample, sample + floats), 8);
    for (int64_t at = 0; at < t.out() * t.out() * t.oc(); ++at) {
      const int64_t oc = at % t.oc(), ow = at / t.oc() % t.out(), oh = at / t.oc() / t.out();
      const auto code = [&](int64_t i) -> int64_t {
        const int64_t channel = oc / t.groupOutChannels * t.groupChannels + i % t.groupChannels;
        const int64_t w = ow * t.stride - t.pad + i / t.groupChannels % t.kernel;
        const int64_t h = oh * t.stride - t.pad + i / t.groupChannels / t.kernel;
        if (h < 0 || h >= t.size || w < 0 || w >= t.size) return p.zeroPoint;
        const float quotient = sample[(h * t.size + w) * t.c() + channel] / p.scale;
        return std::clamp<int64_t>(static_cast<int64_t>(std::nearbyint(quotient)) + p.zeroPoint, 0, 255);
      };
      int64_t sum = 0;
      for (int64_t i = 0; i < k; i += 2) {
        int64_t pair = 0;
        for (int64_t j = i; j < std::min(i + 2, k); ++j) {
          const int64_t w = codes[static_cast<size_t>(oc * k + j)];
          pair += code(j) * w;
          sum -= p.zeroPoint * w;
        }
        const int64_t kept = saturates ? std::clamp<int64_t>(pair, -32768, 32767) : pair;
        r.events[static_cast<size_t>(oc)] += kept != pair;
        sum += kept;
      }
      r.acc.push_back(static_cast<int32_t>(sum));
    }
  }
  return r;
}

TEST_CASE("conv2dDynamic with saturating16 pairs along kernel row, column and channel on every instruction set") {
  const std::vector<Case> cases = {
      {2, 9, 3, 1, 3, 5, 1, 1},     // odd kernel rows of 9: pairs cross them
      {1, 12, 7, 1, 3, 64, 2, 3},   // the stem of a ResNet
      {1, 6, 3, 1, 21, 200, 1, 1},  // rows of 63, which AMX pads
      {2, 5, 3, 2, 8, 9, 1, 0},     // groups
      {3, 4, 1, 1, 33, 17, 1, 0},   // pointwise
      {2, 6, 3, 12, 1, 1, 1, 1},    // depthwise: exact
  };
  for (int isa = 0; isa < kIsaCount; ++isa) {
    const KernelTable* table = kernelsFor(static_cast<Isa>(isa));
    if (table == nullptr) continue;
    CAPTURE(std::string(isaName(table->isa)));
    useKernels(table);
    for (const Case& t : cases) {
      Random random(static_cast<uint64_t>(t.c() * 100 + t.oc()));
      CAPTURE(t.c());
      CAPTURE(t.oc());
      // Mostly near the top of both ranges.
      std::vector<float> x(static_cast<size_t>(t.n * t.size * t.size * t.c()));
      for (float& v : x) v = random.chance(0.6) ? 1.0f : random.uniform();
      std::vector<int8_t> codes(static_cast<size_t>(t.oc() * t.shape().k()));
      for (int8_t& w : codes) w = static_cast<int8_t>(random.chance(0.6) ? 127 : random.integer(-128, 127));
      // The layout of this table and, where that differs, the padded one of AMX.
      for (const Isa layout : {table->isa, Isa::amxInt8}) {
        PackedConv packed;
        packConv(codes.data(), nullptr, t.shape(), 8, WeightStorage::int8, 0, layout, table->kGroup, &packed);
        const bool depthwise = t.groups > 1 && t.groupChannels == 1;
        const Result wanted = reference(t, x, codes, !depthwise);
        const auto total = [](const std::vector<int64_t>& v) {
          int64_t sum = 0;
          for (const int64_t e : v) sum += e;
          return sum;
        };
        REQUIRE((total(wanted.events) > 0) == !depthwise);
        for (const int threadCount : {1, 3}) {
          setThreads(threadCount);
          Result received{std::vector<int32_t>(wanted.acc.size()), std::vector<int64_t>(wanted.events.size())};
          Conv2dDynamicArgs args;
          args.x = x.data();
          args.n = t.n;
          args.h = args.w = t.size;
          args.c = t.c();
          args.window = {t.stride, t.stride, 1, 1, t.pad, t.pad, t.pad, t.pad};
          args.weights = &packed;
          args.acc = received.acc.data();
          args.saturating16 = true;
          args.saturations = received.events.data();
          REQUIRE(conv2dDynamic(args));
          REQUIRE(received.acc == wanted.acc);
          REQUIRE(received.events == wanted.events);
        }
        setThreads(0);
      }
    }
  }
  useKernels(nullptr);
}

}  // namespace
}  // namespace faultline
