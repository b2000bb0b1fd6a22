// The depthwise kernels of every table this machine can run: taps against quantizeRow, products against the definition
// in kernels/kernel.h written out tap by tap.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "quant/packed_conv.h"
#include "random.h"
#include "tables.h"

namespace faultline {
namespace {

using test::name;
using test::Random;
using test::tables;

TEST_CASE("quantizeTaps puts the codes of quantizeRow side by side, and writes nothing else") {
  constexpr uint8_t kUntouched = 0xcd;
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    Random random(1);
    for (const int64_t n : {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 257}) {
      // The scales below 2^-100 and above 2^100 take the true division.
      for (const float magnitude : {1.0f, 1e-37f, 1e-43f, 3e38f}) {
        CAPTURE(n);
        CAPTURE(magnitude);
        const std::vector<float> x = random.floats(n * kTapRows, magnitude);
        float min = 0, max = 0;
        scalarKernels()->scanRange(x.data(), n * kTapRows, &min, &max);
        const AffineParams params = chooseAsymmetric(min, max, static_cast<int>(random.integer(kMinBits, kMaxBits)));
        const size_t bytes = static_cast<size_t>(n * kTapRows);
        std::vector<uint8_t> out(bytes + 64, kUntouched), wanted = out, codes(static_cast<size_t>(n));
        TapRows rows;
        for (int64_t r = 0; r < kTapRows; ++r) {
          rows.x[r] = x.data() + r * n;
          rows.inside[r] = random.chance(0.7);
          const std::vector<float> zeros(static_cast<size_t>(n));
          scalarKernels()->quantizeRow(rows.inside[r] ? rows.x[r] : zeros.data(), n, params, codes.data(), kBlockK);
          for (int64_t i = 0; i < n; ++i) wanted[static_cast<size_t>(kTapRows * i + r)] = codes[static_cast<size_t>(i)];
        }
        table->depthwise->quantizeTaps(rows, n, params, out.data());
        REQUIRE(out == wanted);
      }
    }
  }
}

struct Window {
  int64_t kernelH, kernelW, pixelColumns, tapColumns;
};

// Rows of random taps, all output rows that begin in the first row group, random epilogue.
void check(const KernelTable* table, Random& random, const Window& v, int64_t channels, int64_t pixels, bool extreme) {
  CAPTURE(v.kernelH);
  CAPTURE(v.kernelW);
  CAPTURE(v.pixelColumns);
  CAPTURE(v.tapColumns);
  CAPTURE(channels);
  CAPTURE(pixels);
  DepthwiseCall call;
  call.topStep = random.integer(1, 4);
  call.firstTop = random.integer(0, kTapRows - 1);
  call.rows = random.integer(1, (kTapRows - 1 - call.firstTop) / call.topStep + 1);
  call.rowGroups = ceilDiv(v.kernelH + 1, kTapRows);
  call.kernelW = v.kernelW;
  call.pixelStep = v.pixelColumns * channels;
  call.tapStep = v.tapColumns * channels;
  call.pixels = pixels;
  call.channels = channels;
  call.paddedChannels = roundUp(channels, kPanel);
  call.rowStep = pixels * channels + random.integer(0, 3);

  std::vector<int8_t> codes(static_cast<size_t>(channels * v.kernelH * v.kernelW));
  for (int8_t& w : codes) w = static_cast<int8_t>(extreme ? -128 : random.integer(-128, 127));
  PackedConv packed;
  packConv(codes.data(), nullptr, {channels, v.kernelH, v.kernelW, 1, channels}, 8, WeightStorage::int8, 0, table->isa,
           table->kGroup, &packed);
  call.weights = packed.depthwise.data.data();

  const int64_t columns = (pixels - 1) * v.pixelColumns + (v.kernelW - 1) * v.tapColumns + 1;
  std::vector<std::vector<uint8_t>> groups;
  std::vector<const uint8_t*> addresses;
  for (int64_t g = 0; g <= call.rowGroups; ++g) {
    groups.emplace_back(static_cast<size_t>(columns * channels * kTapRows + 64));
    for (uint8_t& tap : groups.back()) tap = static_cast<uint8_t>(extreme ? 255 : random.integer(0, 255));
  }
  for (const auto& group : groups) addresses.push_back(group.data());
  call.taps = addresses.data();

  std::vector<int32_t> init(static_cast<size_t>(call.paddedChannels));
  for (int32_t& c : init) c = static_cast<int32_t>(random.integer(-1'000'000, 1'000'000));
  const std::vector<float> scale = random.floats(call.paddedChannels, 0.01f);
  const size_t size = static_cast<size_t>((call.rows - 1) * call.rowStep + pixels * channels);
  const std::vector<float> bias = random.floats(channels, 1.0f);
  const std::vector<float> residual = random.floats(static_cast<int64_t>(size), 1.0f);
  call.init = init.data();
  call.scale = scale.data();
  if (random.chance(0.5)) call.epilogue.bias = bias.data();
  if (random.chance(0.5)) call.epilogue.residual = residual.data();
  if (random.chance(0.5)) call.epilogue.clipMin = 0.0f;
  if (random.chance(0.5)) call.epilogue.clipMax = 2.0f;

  constexpr int32_t kUntouched = 123'456'789;
  std::vector<int32_t> acc(size, kUntouched), wantedAcc = acc;
  std::vector<float> out(size, -77.0f), wanted = out;
  for (int64_t row = 0; row < call.rows; ++row) {
    for (int64_t i = 0; i < pixels * channels; ++i) {
      const int64_t n = i % channels;
      int32_t c = init[static_cast<size_t>(n)];
      for (int64_t kh = 0; kh < v.kernelH; ++kh) {
        const int64_t y = call.firstTop + row * call.topStep + kh;
        for (int64_t kw = 0; kw < v.kernelW; ++kw) {
          const int64_t lane = i / channels * call.pixelStep + kw * call.tapStep + n;
          c += groups[static_cast<size_t>(y / kTapRows)][static_cast<size_t>(lane * kTapRows + y % kTapRows)] *
               codes[static_cast<size_t>((n * v.kernelH + kh) * v.kernelW + kw)];
        }
      }
      const size_t at = static_cast<size_t>(row * call.rowStep + i);
      const Epilogue& e = call.epilogue;
      float y = std::fmaf(static_cast<float>(c), scale[static_cast<size_t>(n)], e.bias ? e.bias[n] : 0.0f);
      if (e.residual) y += e.residual[at];
      y = y < e.clipMin ? e.clipMin : y;
      wanted[at] = y > e.clipMax ? e.clipMax : y;
      wantedAcc[at] = c;
    }
  }
  call.out = out.data();
  table->depthwise->multiply(call);
  REQUIRE(out == wanted);
  call.out = nullptr;
  call.acc = acc.data();
  table->depthwise->multiply(call);
  REQUIRE(acc == wantedAcc);
}

TEST_CASE("depthwise products: every window, distance of pixels and columns, channel tail and row of the group") {
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    Random random(2);
    for (int64_t kernelH = 1; kernelH <= 8; ++kernelH) {
      for (int64_t kernelW = 1; kernelW <= 7; ++kernelW) {
        for (const int64_t channels : {2, 8, 15, 16, 17, 40}) {
          const Window v = {kernelH, kernelW, random.integer(1, 4), random.integer(1, 3)};
          check(table, random, v, channels, random.integer(1, 11), false);
        }
      }
    }
    for (int trial = 0; trial < 300; ++trial) {  // the windows that have kernels of their own
      const int64_t tapColumns = random.integer(1, 2);
      const Window v = {random.integer(1, 3), 3, tapColumns * random.integer(1, 2), tapColumns};
      check(table, random, v, random.integer(2, 50), random.integer(1, 11), trial % 10 == 0);
    }
  }
}

}  // namespace
}  // namespace faultline
