// Dynamic convolution on every kernel table this machine can run, against plain loops over the definition: quantization
// in double, sums in int64, and the fp32 sequence of kernels/kernel.h.
#include "ops/conv2d.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One convolution: all that defines it, and its operands.
struct Case {
  int64_t n = 1, h = 1, w = 1;
  ConvWeightShape shape;
  Conv2dWindow window;
  int weightBits = 8;
  WeightStorage storage = WeightStorage::int8;
  int64_t blockSize = 0;
  bool perTensor = false;
  int bits = 8;
  std::vector<uint8_t> sampleBits;
  float clipMin = -kInfinity, clipMax = kInfinity;

  std::vector<float> x, weights, bias, residual, scales;
  std::vector<int8_t> codes;

  int64_t c() const { return shape.inChannels(); }
  int64_t outH() const {
    return convOutputSize(h, shape.kernelH, window.strideH, window.dilationH, window.padTop, window.padBottom);
  }
  int64_t outW() const {
    return convOutputSize(w, shape.kernelW, window.strideW, window.dilationW, window.padLeft, window.padRight);
  }
  int64_t sampleSize() const { return h * w * c(); }
  int64_t outputSize() const { return n * outH() * outW() * shape.outChannels; }

  void fill(Random& random) {
    x = random.floats(n * sampleSize(), 2.0f);
    // Samples of different size and sign, so that each has its own scale and zero point.
    for (int64_t i = 0; i < n * sampleSize(); ++i) {
      float& v = x[static_cast<size_t>(i)];
      v = v * static_cast<float>(1 + i / sampleSize() % 3) + static_cast<float>(i / sampleSize() % 5) * 0.3f;
    }
    weights = random.floats(shape.outChannels * shape.k(), 0.5f);
    codes.resize(weights.size());
    const int64_t scaleGroups = blockSize > 0 ? ceilDiv(shape.k(), blockSize) : 1;
    scales.resize(static_cast<size_t>(scaleGroups * shape.outChannels));
    quantizeWeights(weights.data(), shape.outChannels, shape.k(), weightBits, blockSize, codes.data(), scales.data());
  }
};

struct Result {
  std::vector<float> out;
  std::vector<int32_t> acc;
  std::vector<float> scale;
  std::vector<int32_t> zeroPoint;
};

std::vector<AffineParams> sampleParams(const Case& t) {
  std::vector<AffineParams> params;
  for (int64_t s = 0; s < t.n; ++s) {
    float min = 0, max = 0;
    for (int64_t i = t.perTensor ? 0 : s * t.sampleSize(); i < (t.perTensor ? t.n : s + 1) * t.sampleSize(); ++i) {
      min = std::min(min, t.x[static_cast<size_t>(i)]);
      max = std::max(max, t.x[static_cast<size_t>(i)]);
    }
    params.push_back(chooseAsymmetric(min, max, t.sampleBits.empty() ? t.bits : t.sampleBits[static_cast<size_t>(s)]));
  }
  return params;
}

int64_t codeOf(float x, const AffineParams& p) {
  const float quotient = static_cast<float>(static_cast<double>(x) / static_cast<double>(p.scale));
  return std::clamp(static_cast<int64_t>(std::nearbyint(quotient)) + p.zeroPoint, int64_t{0}, int64_t{p.qmax});
}

// The whole definition, element by element.
Result reference(const Case& t) {
  Result r;
  const ConvWeightShape& s = t.shape;
  const int64_t groupOut = s.groupOutChannels();
  const int64_t scaleGroups = t.blockSize > 0 ? ceilDiv(s.k(), t.blockSize) : 1;
  const std::vector<AffineParams> params = sampleParams(t);
  for (int64_t n = 0; n < t.n; ++n) {
    const AffineParams& p = params[static_cast<size_t>(n)];
    r.scale.push_back(p.scale);
    r.zeroPoint.push_back(p.zeroPoint);
    for (int64_t oh = 0; oh < t.outH(); ++oh) {
      for (int64_t ow = 0; ow < t.outW(); ++ow) {
        for (int64_t oc = 0; oc < s.outChannels; ++oc) {
          std::vector<int64_t> sums(static_cast<size_t>(scaleGroups), 0);
          for (int64_t k = 0; k < s.k(); ++k) {
            const int64_t kh = k / (s.kernelW * s.groupChannels), kw = k / s.groupChannels % s.kernelW;
            const int64_t ih = oh * t.window.strideH - t.window.padTop + kh * t.window.dilationH;
            const int64_t iw = ow * t.window.strideW - t.window.padLeft + kw * t.window.dilationW;
            if (ih < 0 || ih >= t.h || iw < 0 || iw >= t.w) continue;
            const int64_t channel = oc / groupOut * s.groupChannels + k % s.groupChannels;
            const float x = t.x[static_cast<size_t>(((n * t.h + ih) * t.w + iw) * t.c() + channel)];
            sums[static_cast<size_t>(t.blockSize > 0 ? k / t.blockSize : 0)] +=
                (codeOf(x, p) - p.zeroPoint) * t.codes[static_cast<size_t>(oc * s.k() + k)];
          }
          const size_t index = r.out.size();
          const float bias = t.bias.empty() ? 0.0f : t.bias[static_cast<size_t>(oc)];
          float y = 0.0f;
          if (t.blockSize > 0) {
            for (int64_t g = 0; g < scaleGroups; ++g) {
              y = std::fmaf(static_cast<float>(sums[static_cast<size_t>(g)]),
                            t.scales[static_cast<size_t>(g * s.outChannels + oc)], y);
            }
            y = std::fmaf(y, p.scale, bias);
          } else {
            const float scale = p.scale * t.scales[static_cast<size_t>(oc)];
            y = std::fmaf(static_cast<float>(sums[0]), scale, bias);
          }
          if (!t.residual.empty()) y += t.residual[index];
          y = y < t.clipMin ? t.clipMin : y;
          r.out.push_back(y > t.clipMax ? t.clipMax : y);
          r.acc.push_back(static_cast<int32_t>(sums[0]));
        }
      }
    }
  }
  return r;
}

Conv2dDynamicArgs argsOf(const Case& t, const PackedConv& packed) {
  Conv2dDynamicArgs args;
  args.x = t.x.data();
  args.n = t.n;
  args.h = t.h;
  args.w = t.w;
  args.c = t.c();
  args.window = t.window;
  args.weights = &packed;
  args.perTensor = t.perTensor;
  args.bits = t.bits;
  args.sampleBits = t.sampleBits.empty() ? nullptr : t.sampleBits.data();
  args.epilogue.bias = t.bias.empty() ? nullptr : t.bias.data();
  args.epilogue.residual = t.residual.empty() ? nullptr : t.residual.data();
  args.epilogue.clipMin = t.clipMin;
  args.epilogue.clipMax = t.clipMax;
  return args;
}

// Runs the case with the table in use; float and (unless grouped) int32 output.
Result compute(const Case& t) {
  PackedConv packed;
  packConv(t.codes.data(), t.scales.data(), t.shape, t.weightBits, t.storage, t.blockSize, kernels().isa,
           kernels().kGroup, &packed);
  Result r;
  r.out.assign(static_cast<size_t>(t.outputSize()), -777.0f);
  r.scale.resize(static_cast<size_t>(t.n));
  r.zeroPoint.resize(static_cast<size_t>(t.n));
  Conv2dDynamicArgs args = argsOf(t, packed);
  args.out = r.out.data();
  args.sampleScale = r.scale.data();
  args.sampleZeroPoint = r.zeroPoint.data();
  Status status = conv2dDynamic(args);
  REQUIRE_MESSAGE(static_cast<bool>(status), status.message());
  if (t.blockSize == 0) {
    r.acc.assign(static_cast<size_t>(t.outputSize()), -777);
    args.out = nullptr;
    args.acc = r.acc.data();
    status = conv2dDynamic(args);
    REQUIRE_MESSAGE(static_cast<bool>(status), status.message());
  }
  return r;
}

void checkEqual(const Result& came, const Result& wanted) {
  REQUIRE(came.scale == wanted.scale);
  REQUIRE(came.zeroPoint == wanted.zeroPoint);
  if (!came.acc.empty()) REQUIRE(came.acc == wanted.acc);
  REQUIRE(came.out == wanted.out);
}

// Calls fn with every kernel table and thread counts 1, 2 and 3 in force.
template <typename Fn>
void everywhere(Fn&& fn) {
  for (int i = 0; i < kIsaCount; ++i) {
    const KernelTable* table = kernelsFor(static_cast<Isa>(i));
    if (table == nullptr) continue;
    useKernels(table);
    for (const int count : {1, 2, 3}) {
      setThreads(count);
      CAPTURE(std::string(isaName(table->isa)));
      CAPTURE(count);
      fn();
    }
  }
  useKernels(nullptr);
  setThreads(0);
}

std::string text(const Case& t) {
  const Conv2dWindow& v = t.window;
  std::string all;
  for (const int64_t value :
       {t.n, t.h, t.w, t.c(), t.shape.outChannels, t.shape.kernelH, t.shape.kernelW, t.shape.groups, v.strideH,
        v.strideW, v.dilationH, v.dilationW, v.padTop, v.padLeft, v.padBottom, v.padRight, t.blockSize}) {
    all += std::to_string(value) + " ";
  }
  return all;
}

void check(const Case& t) {
  CAPTURE(text(t));
  const Result wanted = reference(t);
  everywhere([&] { checkEqual(compute(t), wanted); });
}

// A random epilogue, ranges and bits on top of a geometry.
void decorate(Case* t, Random& random) {
  t->weightBits = static_cast<int>(random.integer(kMinBits, kMaxBits));
  t->storage = t->weightBits <= 4 && random.chance(0.7) ? WeightStorage::int4 : WeightStorage::int8;
  t->bits = static_cast<int>(random.integer(kMinBits, kMaxBits));
  t->perTensor = random.chance(0.25);
  if (!t->perTensor && random.chance(0.5)) {
    for (int64_t i = 0; i < t->n; ++i) t->sampleBits.push_back(static_cast<uint8_t>(random.integer(2, 8)));
  }
  if (random.chance(0.5)) t->bias = random.floats(t->shape.outChannels, 1.0f);
  if (random.chance(0.3)) t->residual = random.floats(t->outputSize(), 1.0f);
  if (random.chance(0.5)) t->clipMin = 0.0f;
  if (random.chance(0.3)) t->clipMax = 6.0f;
  t->fill(random);
}

Case randomGeometry(Random& random) {
  Case t;
  do {
    t = Case();
    t.n = random.integer(1, 5);
    t.h = random.integer(1, 12);
    t.w = random.chance(0.3) ? random.pick<int64_t>({16, 24, 27, 32, 37}) : random.integer(1, 12);
    t.shape.kernelH = random.integer(1, 5);
    t.shape.kernelW = random.integer(1, 5);
    t.shape.groups = random.chance(0.6) ? 1 : random.integer(2, 5);
    t.shape.groupChannels = random.pick<int64_t>({1, 2, 3, 5, 16, 17, 32, 64});
    t.shape.outChannels = t.shape.groups * random.pick<int64_t>({1, 2, 3, 15, 16, 17, 33});
    t.window = {random.integer(1, 3), random.integer(1, 3), random.integer(1, 3), random.integer(1, 2),
                random.integer(0, 3), random.integer(0, 3), random.integer(0, 3), random.integer(0, 3)};
  } while (t.outH() < 1 || t.outW() < 1 || t.outputSize() * t.shape.k() > 2'000'000);
  return t;
}

TEST_CASE("conv2dDynamic matches its definition on random geometry, ranges, bits and epilogues") {
  Random random(1);
  for (int trial = 0; trial < 250; ++trial) {
    Case t = randomGeometry(random);
    decorate(&t, random);
    check(t);
  }
}

TEST_CASE("depthwise convolution matches its definition for every window height, multiplier and channel tail") {
  Random random(2);
  for (int64_t kernelH = 1; kernelH <= 9; ++kernelH) {
    for (const int64_t multiplier : {1, 2, 3}) {
      for (const int64_t channels : {2, 15, 16, 17, 40}) {
        Case t;
        t.n = random.integer(1, 3);
        t.h = random.integer(kernelH, kernelH + 5);
        t.w = random.integer(3, 9);
        t.shape = {channels * multiplier, kernelH, random.pick<int64_t>({1, 2, 3, 5}), 1, channels};
        t.window = {random.integer(1, 2), random.integer(1, 3), random.integer(1, 2), random.integer(1, 2),
                    random.integer(0, 2), random.integer(0, 2), random.integer(8, 9), random.integer(7, 8)};
        if (random.chance(0.5)) t.window.strideH = t.window.dilationH = 1;
        decorate(&t, random);
        check(t);
      }
    }
  }
}

TEST_CASE("pointwise convolution matches its definition across the samples of a batch") {
  Random random(3);
  for (const int64_t side : {1, 3, 4, 7, 16}) {
    for (const int64_t channels : {1, 3, 24, 64, 130}) {
      Case t;
      t.n = 6;
      t.h = side;
      t.w = side;
      t.shape = {random.pick<int64_t>({1, 16, 24, 40}), 1, 1, channels, 1};
      decorate(&t, random);
      check(t);
      t.window.strideH = t.window.strideW = 2;
      t.residual.clear();
      check(t);
    }
  }
}

TEST_CASE("rows that kernels read in place match the definition: 64 channels, long output rows") {
  Random random(4);
  for (const int64_t width : {16, 24, 32, 50}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t dilation : {1, 2}) {
        Case t;
        t.n = 2;
        t.h = 5;
        t.w = width * stride;
        t.shape = {20, 3, 3, 64, 1};
        t.window = {1, stride, 1, dilation, 1, dilation, 1, dilation};
        decorate(&t, random);
        check(t);
      }
    }
  }
}

TEST_CASE("batches of small images match the definition: taps in the padding are left out") {
  Random random(10);
  for (int trial = 0; trial < 60; ++trial) {
    Case t;
    do {
      t = Case();
      t.n = random.pick<int64_t>({16, 17, 31, 33, 50, 70});
      t.h = random.integer(1, 6);
      t.w = random.integer(1, 6);
      t.shape.kernelH = random.integer(1, 4);
      t.shape.kernelW = random.integer(1, 4);
      t.shape.groups = random.chance(0.7) ? 1 : 2;
      t.shape.groupChannels = random.pick<int64_t>({16, 24, 32, 64, 64, 128});
      t.shape.outChannels = t.shape.groups * random.pick<int64_t>({1, 5, 16, 33, 50});
      // Padding on one side only, and wider than the window: outputs whose taps all lie in it.
      t.window = {random.integer(1, 2), random.integer(1, 2), random.integer(1, 2), random.integer(1, 2),
                  random.integer(0, 5), random.integer(0, 5), random.integer(0, 5), random.integer(0, 5)};
    } while (t.outH() < 1 || t.outW() < 1 || t.outputSize() * t.shape.k() > 20'000'000);
    decorate(&t, random);
    check(t);
  }
}

TEST_CASE("output rows match the definition where their ends lack columns of the window") {
  Random random(11);
  for (int trial = 0; trial < 60; ++trial) {
    Case t;
    do {
      t = Case();
      t.n = random.integer(1, 3);
      t.h = random.integer(1, 6);
      t.w = random.pick<int64_t>({1, 2, 3, 4, 7, 8, 9, 14, 17, 20});
      t.shape.kernelH = random.integer(1, 4);
      t.shape.kernelW = random.integer(2, 5);
      t.shape.groups = random.chance(0.7) ? 1 : 2;
      t.shape.groupChannels = random.pick<int64_t>({64, 128});
      t.shape.outChannels = t.shape.groups * random.pick<int64_t>({1, 16, 33, 50});
      t.window = {random.integer(1, 2), random.integer(1, 2), random.integer(1, 2), random.integer(1, 2),
                  random.integer(0, 3), random.integer(0, 6), random.integer(0, 3), random.integer(0, 6)};
    } while (t.outH() < 1 || t.outW() < 1 || t.outputSize() * t.shape.k() > 20'000'000);
    decorate(&t, random);
    check(t);
  }
}

TEST_CASE("scales by group of K follow the natural order of the weights") {
  Random random(5);
  for (const int64_t channels : {3, 16, 40}) {
    for (const int64_t groups : {1, 2}) {
      Case t;
      t.n = 2;
      t.h = 6;
      t.w = 17;
      t.shape = {groups * 18, 3, 3, channels, groups};
      t.window.padTop = t.window.padLeft = t.window.padBottom = t.window.padRight = 1;
      t.blockSize = 32;
      decorate(&t, random);
      check(t);
    }
  }
}

TEST_CASE("a sample's output does not depend on the batch around it, its position or the number of threads") {
  Random random(6);
  for (const int64_t side : {4, 8, 40}) {
    for (const int64_t channels : {1, 20, 64}) {
      Case all;
      all.n = side < 40 ? 19 : 7;
      all.h = all.w = side;
      all.shape = channels == 1 ? ConvWeightShape{24, 3, 3, 1, 24} : ConvWeightShape{24, 3, 3, channels, 1};
      all.window.padTop = all.window.padLeft = all.window.padBottom = all.window.padRight = 1;
      for (int64_t i = 0; i < all.n; ++i) all.sampleBits.push_back(static_cast<uint8_t>(2 + i % 7));
      all.fill(random);
      setThreads(1);
      const Result whole = compute(all);
      const int64_t each = all.outputSize() / all.n;
      everywhere([&] {
        for (int64_t i = 0; i < all.n; ++i) {
          Case one = all;
          one.n = 1;
          one.sampleBits = {all.sampleBits[static_cast<size_t>(i)]};
          one.x.assign(all.x.begin() + i * all.sampleSize(), all.x.begin() + (i + 1) * all.sampleSize());
          const Result alone = compute(one);
          REQUIRE(std::equal(alone.out.begin(), alone.out.end(), whole.out.begin() + i * each));
          REQUIRE(std::equal(alone.acc.begin(), alone.acc.end(), whole.acc.begin() + i * each));
        }
      });
    }
  }
}

TEST_CASE("the packed weights read back as the codes and scales they were made from") {
  Random random(7);
  for (int trial = 0; trial < 40; ++trial) {
    Case t = randomGeometry(random);
    if (trial % 4 == 0) t.shape.groupChannels = 1;
    t.fill(random);
    for (const Isa isa : {Isa::scalar, Isa::amxInt8}) {
      PackedConv packed;
      packConv(t.codes.data(), t.scales.data(), t.shape, 8, WeightStorage::int8, 0, isa, 4, &packed);
      for (int64_t oc = 0; oc < t.shape.outChannels; ++oc) {
        for (int64_t k = 0; k < t.shape.k(); ++k) {
          REQUIRE(packedConvCode(packed, oc, k) == t.codes[static_cast<size_t>(oc * t.shape.k() + k)]);
        }
        REQUIRE(packedConvScale(packed, oc, 0) == t.scales[static_cast<size_t>(oc)]);
      }
    }
  }
}

TEST_CASE("NaN and infinity anywhere in a sample are refused, naming the first such sample") {
  Random random(8);
  Case t;
  t.n = 5;
  t.h = t.w = 6;
  t.shape = {4, 3, 3, 3, 1};
  t.fill(random);
  PackedConv packed;
  packConv(t.codes.data(), t.scales.data(), t.shape, 8, WeightStorage::int8, 0, kernels().isa, kernels().kGroup,
           &packed);
  std::vector<float> out(static_cast<size_t>(t.outputSize()));
  for (const float value : {std::nanf(""), kInfinity, -kInfinity}) {
    for (const bool perTensor : {false, true}) {
      for (const int count : {1, 2, 3}) {
        Case bad = t;
        bad.perTensor = perTensor;
        bad.x[static_cast<size_t>(4 * t.sampleSize())] = value;
        bad.x[static_cast<size_t>(3 * t.sampleSize() - 1)] = value;
        Conv2dDynamicArgs args = argsOf(bad, packed);
        args.out = out.data();
        setThreads(count);
        const Status status = conv2dDynamic(args);
        REQUIRE(status.message() == "conv2dDynamic: x: wanted finite values, came NaN or infinity in sample 2");
      }
    }
  }
  setThreads(0);
}

TEST_CASE("what cannot be computed is refused with the argument, what was wanted and what came") {
  Case t;
  Random random(9);
  t.n = 1;
  t.h = t.w = 4;
  t.shape = {16, 3, 3, 3, 1};
  t.fill(random);
  PackedConv packed;
  packConv(t.codes.data(), t.scales.data(), t.shape, 8, WeightStorage::int8, 0, kernels().isa, kernels().kGroup,
           &packed);
  std::vector<float> out(static_cast<size_t>(t.outputSize()));
  Conv2dDynamicArgs good = argsOf(t, packed);
  good.out = out.data();
  REQUIRE(static_cast<bool>(conv2dDynamic(good)));
  const auto message = [&](auto&& change) {
    Conv2dDynamicArgs args = good;
    change(args);
    return conv2dDynamic(args).message();
  };
  CHECK(message([](auto& a) { a.c = 4; }) ==
        "conv2dDynamic: x: wanted 3 channels, as the weights [16, 3, 3, 3] in 1 groups have, came [1, 4, 4, 4]");
  CHECK(message([](auto& a) { a.h = 2; }) ==
        "conv2dDynamic: x: wanted at least as many padded rows and columns as the window, [3, 3], came [2, 4]");
  CHECK(message([](auto& a) { a.window.dilationW = 2; }) ==
        "conv2dDynamic: x: wanted at least as many padded rows and columns as the window, [3, 5], came [4, 4]");
  CHECK(message([](auto& a) { a.w = 0; }) ==
        "conv2dDynamic: x: wanted a shape [N, H, W, C] without zeros past N, came [1, 4, 0, 3]");
  CHECK(message([](auto& a) { a.window.strideH = 0; }) == "conv2dDynamic: strides: wanted at least 1, came [0, 1]");
  CHECK(message([](auto& a) { a.window.padRight = -1; }) ==
        "conv2dDynamic: padding: wanted at least 0, came [0, 0, 0, -1]");
  CHECK(message([](auto& a) { a.window.padTop = 1 << 30; }) ==
        "conv2dDynamic: x: wanted padded samples of at most 2147483648 elements, came 12884901936");

  // 255 · 128 · k fits in int32 up to k = 65793.
  ConvWeightShape longest{1, 1, 1, 65793, 1};
  std::vector<int8_t> codes(65794, 1);
  std::vector<float> x(65794, 1.0f);
  for (const bool fits : {true, false}) {
    longest.groupChannels = fits ? 65793 : 65794;
    PackedConv one;
    packConv(codes.data(), nullptr, longest, 8, WeightStorage::int8, 0, kernels().isa, kernels().kGroup, &one);
    Conv2dDynamicArgs args;
    args.x = x.data();
    args.n = args.h = args.w = 1;
    args.c = longest.groupChannels;
    args.weights = &one;
    args.out = out.data();
    CHECK(conv2dDynamic(args).message() == (fits ? ": : wanted , came "
                                                 : "conv2dDynamic: weights: wanted KH · KW · C / groups of at most "
                                                   "65793 (int32 accumulators), came 65794"));
  }
}

}  // namespace
}  // namespace faultline
