// The ONNX integer products and quantization from exactly sized buffers, so that the sanitizers see every byte read or
// written past an operand; results against the definitions.
#include "ops/onnx_integer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/onnx_integer_conv.h"
#include "ops/quantize.h"
#include "ops/transpose.h"
#include "random.h"

namespace faultline::test {
namespace {

std::vector<uint8_t> randomBytes(Random& random, int64_t count) {
  std::vector<uint8_t> bytes(static_cast<size_t>(count));
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.integer(0, 255));
  return bytes;
}

int32_t valueOf(uint8_t byte, bool isSigned) { return isSigned ? static_cast<int8_t>(byte) : byte; }
int32_t randomZero(Random& random, bool isSigned) {
  return static_cast<int32_t>(isSigned ? random.integer(-128, 127) : random.integer(0, 255));
}

TEST_CASE("integer products of every pair of types are those of the definition") {
  Random random(1);
  for (int trial = 0; trial < 60; ++trial) {
    const int64_t m = random.integer(1, 40), k = random.integer(1, 140), n = random.integer(1, 50);
    const bool aSigned = random.chance(0.5), bSigned = random.chance(0.5);
    const std::vector<uint8_t> a = randomBytes(random, m * k);
    const std::vector<uint8_t> b = randomBytes(random, k * n);
    std::vector<int32_t> za(static_cast<size_t>(m)), zb(static_cast<size_t>(n));
    for (int32_t& z : za) z = randomZero(random, aSigned);
    for (int32_t& z : zb) z = randomZero(random, bSigned);

    IntegerWeights packed;
    packMatmulB(b.data(), bSigned, k, n, zb.data(), 1, &packed);
    std::vector<int32_t> acc(static_cast<size_t>(m * n));
    IntegerMatmulArgs args;
    args.a = a.data();
    args.aSigned = aSigned;
    args.m = m;
    args.aZeroPoint = za.data();
    args.aZeroPointStep = 1;
    args.b = &packed;
    args.acc = acc.data();
    REQUIRE(integerMatmul(args));

    std::vector<int32_t> wanted(acc.size());
    for (int64_t i = 0; i < m * n; ++i) {
      for (int64_t j = 0; j < k; ++j) {
        wanted[static_cast<size_t>(i)] +=
            (valueOf(a[static_cast<size_t>(i / n * k + j)], aSigned) - za[static_cast<size_t>(i / n)]) *
            (valueOf(b[static_cast<size_t>(j * n + i % n)], bSigned) - zb[static_cast<size_t>(i % n)]);
      }
    }
    REQUIRE(acc == wanted);
  }
}

TEST_CASE("integer convolutions, also depthwise, are those of the definition") {
  Random random(2);
  for (int trial = 0; trial < 300; ++trial) {
    IntegerConvShape s;
    s.groups = random.integer(1, 4);
    s.n = random.integer(1, 2);
    s.c = s.groups * (random.chance(0.6) ? 1 : random.integer(1, 20));
    s.outC = s.groups * (random.chance(0.5) ? random.integer(1, 3) : random.integer(1, 20));
    s.kernelH = random.integer(1, 7);
    s.kernelW = random.integer(1, 7);
    const auto stride = [&] { return random.chance(0.1) ? 40 : random.integer(1, 3); };
    s.window = {stride(),
                stride(),
                random.integer(1, 3),
                random.integer(1, 3),
                random.integer(0, 9),
                random.integer(0, 9),
                random.integer(0, 9),
                random.integer(0, 9)};
    s.h = (s.kernelH - 1) * s.window.dilationH + random.integer(1, 9);
    s.w = (s.kernelW - 1) * s.window.dilationW + random.integer(1, random.chance(0.2) ? 80 : 9);
    const bool xSigned = random.chance(0.5), wSigned = random.chance(0.5);
    const std::vector<uint8_t> x = randomBytes(random, s.n * s.c * s.h * s.w);
    const std::vector<uint8_t> w = randomBytes(random, s.outC * s.groupC() * s.kernelH * s.kernelW);
    std::vector<int32_t> zw(static_cast<size_t>(s.outC));
    const bool symmetric = random.chance(0.3);
    for (int32_t& z : zw) z = symmetric ? (wSigned ? 0 : 128) : randomZero(random, wSigned);

    const IntegerConvWeights packed = packConvW(w.data(), wSigned, s, zw.data(), 1);
    std::vector<int32_t> acc(static_cast<size_t>(s.n * s.outC * s.outH() * s.outW()));
    IntegerConvArgs args;
    args.shape = s;
    args.x = x.data();
    args.xSigned = xSigned;
    args.xZeroPoint = randomZero(random, xSigned);
    args.w = &packed;
    args.acc = acc.data();
    REQUIRE(integerConv(args));

    // QLinearConv's codes of the same sums.
    std::vector<uint8_t> codes(acc.size());
    std::vector<int32_t> bias(static_cast<size_t>(s.outC));
    for (int32_t& b : bias) b = static_cast<int32_t>(random.integer(-100000, 100000));
    const std::vector<float> wScale = random.floats(s.outC, 0.01f);
    const float xScale = 0.02f, yScale = 0.05f;
    const bool ySigned = random.chance(0.5);
    const int32_t yZero = randomZero(random, ySigned);
    args.acc = nullptr;
    args.codes = codes.data();
    args.requantize = {bias.data(), wScale.data(), &xScale, &yScale, &yZero, 0, ySigned};
    REQUIRE(integerConv(args));
    const auto codeOf = [&](int32_t sum, size_t oc) {
      const float v = static_cast<float>(sum + bias[oc]) * (xScale * wScale[oc] / yScale);
      const double q = std::nearbyint(static_cast<double>(v)) + yZero;
      return static_cast<uint8_t>(static_cast<int32_t>(std::clamp(q, ySigned ? -128.0 : 0.0, ySigned ? 127.0 : 255.0)));
    };

    size_t at = 0;
    for (int64_t image = 0; image < s.n; ++image) {
      for (int64_t oc = 0; oc < s.outC; ++oc) {
        for (int64_t pixel = 0; pixel < s.outH() * s.outW(); ++pixel) {
          int32_t expected = 0;
          for (int64_t tap = 0; tap < s.groupC() * s.kernelH * s.kernelW; ++tap) {
            const int64_t c = oc / s.groupOutC() * s.groupC() + tap / (s.kernelH * s.kernelW);
            const int64_t y = pixel / s.outW() * s.window.strideH - s.window.padTop +
                              tap / s.kernelW % s.kernelH * s.window.dilationH;
            const int64_t z =
                pixel % s.outW() * s.window.strideW - s.window.padLeft + tap % s.kernelW * s.window.dilationW;
            if (y < 0 || y >= s.h || z < 0 || z >= s.w) continue;
            const int64_t from = ((image * s.c + c) * s.h + y) * s.w + z;
            const int64_t weight = oc * s.groupC() * s.kernelH * s.kernelW + tap;
            expected += (valueOf(x[static_cast<size_t>(from)], xSigned) - args.xZeroPoint) *
                        (valueOf(w[static_cast<size_t>(weight)], wSigned) - zw[static_cast<size_t>(oc)]);
          }
          REQUIRE(acc[at] == expected);
          REQUIRE(codes[at++] == codeOf(expected, static_cast<size_t>(oc)));
        }
      }
    }
  }
}

// In steps: half of one for rounding, half where the rounded zero point pushes an end of the range outside, and 1 % for
// the fp32 quotients of codes up to 255.
constexpr float kLargestError = 1.01f;

TEST_CASE("eight rows of bytes become eight columns, flipped or not, and nothing beside them is written") {
  Random random(29);
  for (const uint8_t flip : {uint8_t{0}, kSignBit}) {
    const int64_t inStride = random.integer(8, 70), outStride = random.integer(8, 70);
    const std::vector<uint8_t> in = randomBytes(random, 7 * inStride + kTransposed);
    std::vector<uint8_t> out = randomBytes(random, 7 * outStride + kTransposed), wanted = out;
    for (int64_t i = 0; i < kTransposed; ++i) {
      for (int64_t j = 0; j < kTransposed; ++j) {
        wanted[static_cast<size_t>(j * outStride + i)] =
            static_cast<uint8_t>(in[static_cast<size_t>(i * inStride + j)] ^ flip);
      }
    }
    transposeBytes(in.data(), inStride, flip, out.data(), outStride);
    CHECK(out == wanted);
  }
}

TEST_CASE("quantization reads and writes its operands only, whatever the layout of scales") {
  Random random(3);
  for (int trial = 0; trial < 200; ++trial) {
    ParamView view;
    view.outer = random.integer(1, 6);
    view.axis = random.integer(1, 90);
    view.inner = random.integer(1, 6);
    view.block = random.integer(1, view.axis + 3);
    view.perInner = random.chance(0.5);
    const size_t elements = static_cast<size_t>(view.elements());
    const size_t params = static_cast<size_t>(view.params());
    const std::vector<float> x = random.floats(view.elements(), 5.0f);
    std::vector<float> scale(params), back(elements);
    std::vector<int32_t> zeroPoint(params);
    std::vector<int8_t> codes(elements);

    ChooseQParamsArgs choose;
    choose.x = x.data();
    choose.view = view;
    choose.scheme = {random.chance(0.5), true};
    choose.scale = scale.data();
    choose.zeroPoint = zeroPoint.data();
    REQUIRE(chooseQParams(choose));
    QuantizeArgs args;
    args.x = x.data();
    args.view = view;
    args.scale = scale.data();
    args.zeroPoint = zeroPoint.data();
    args.range = codeRange(choose.scheme, 8);
    args.type = CodeType::s8;
    args.out = codes.data();
    REQUIRE(quantize(args));
    REQUIRE(dequantize({"dequantize", codes.data(), CodeType::s8, view, scale.data(), zeroPoint.data(), back.data()}));
    const float largestStep = *std::max_element(scale.begin(), scale.end());
    for (size_t i = 0; i < elements; ++i) REQUIRE(std::fabs(back[i] - x[i]) <= kLargestError * largestStep);
  }
}

}  // namespace
}  // namespace faultline::test
