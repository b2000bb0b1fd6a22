// Dynamic convolution on every kernel table this machine can run, against plain loops over the definition: quantization
// in double, sums in int64, and the fp32 sequence of kernels/kernel.h.
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "conv2d_case.h"

namespace faultline {
namespace {

using namespace test;

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
        t.window = {random.integer(1, 3), random.integer(1, 3), random.integer(1, 3),   random.integer(1, 2),
                    random.integer(0, 2), random.integer(0, 2), random.integer(16, 17), random.integer(7, 8)};
        if (random.chance(0.6)) t.window.dilationH = 1;
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
        REQUIRE(status.message() == "conv2dDynamic: x: expected finite values, received NaN or infinity in sample 2");
      }
    }
  }
  setThreads(0);
}

TEST_CASE("what cannot be computed is refused with the argument, what was expected and what received") {
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
        "conv2dDynamic: x: expected 3 channels, as the weights [16, 3, 3, 3] in 1 groups have, received [1, 4, 4, 4]");
  CHECK(message([](auto& a) { a.h = 2; }) ==
        "conv2dDynamic: x: expected at least as many padded rows and columns as the window, [3, 3], received [2, 4]");
  CHECK(message([](auto& a) { a.window.dilationW = 2; }) ==
        "conv2dDynamic: x: expected at least as many padded rows and columns as the window, [3, 5], received [4, 4]");
  CHECK(message([](auto& a) { a.w = 0; }) ==
        "conv2dDynamic: x: expected a shape [N, H, W, C] without zeros past N, received [1, 4, 0, 3]");
  CHECK(message([](auto& a) { a.window.strideH = 0; }) ==
        "conv2dDynamic: strides: expected at least 1, received [0, 1]");
  CHECK(message([](auto& a) { a.window.padRight = -1; }) ==
        "conv2dDynamic: padding: expected at least 0, received [0, 0, 0, -1]");
  CHECK(message([](auto& a) { a.window.padTop = 1 << 30; }) ==
        "conv2dDynamic: x: expected padded samples of at most 2147483648 elements, received 12884901936");

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
    CHECK(conv2dDynamic(args).message() == (fits ? ": : expected , received "
                                                 : "conv2dDynamic: weights: expected KH · KW · C / groups of at most "
                                                   "65793 (int32 accumulators), received 65794"));
  }
}

}  // namespace
}  // namespace faultline
