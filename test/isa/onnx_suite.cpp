// ONNX integer convolutions, of planes and of pixels: every type and zero point, accumulators and codes.
#include <vector>

#include "core/parallel.h"
#include "ops/onnx_integer_conv.h"
#include "random.h"
#include "suite.h"

namespace faultline::isa {
namespace {

using test::Random;

IntegerConvShape makeShape(Random& random, bool depthwise) {
  IntegerConvShape s;
  s.groups = depthwise ? random.integer(1, 5) : random.integer(1, 2);
  s.n = random.integer(1, 2);
  s.c = s.groups * (depthwise ? 1 : random.integer(2, 20));
  s.outC = s.groups * random.integer(1, depthwise ? 3 : 20);
  s.kernelH = random.pick<int64_t>({1, 2, 3, 3, 3, 5, 7});
  s.kernelW = random.pick<int64_t>({1, 2, 3, 3, 3, 5, 7});
  s.window = {random.integer(1, 3), random.integer(1, 3), random.integer(1, 2), random.integer(1, 2),
              random.integer(0, 3), random.integer(0, 3), random.integer(0, 3), random.integer(0, 3)};
  s.h = (s.kernelH - 1) * s.window.dilationH + random.integer(1, 20);
  s.w = (s.kernelW - 1) * s.window.dilationW + random.integer(1, 40);
  return s;
}

bool runFamily(const char* name, uint64_t seed, int cases, bool depthwise) {
  Family family(name);
  Random random(seed);
  for (int i = 0; i < cases; ++i) {
    family.count();
    const IntegerConvShape s = makeShape(random, depthwise);
    const bool xSigned = random.chance(0.5), wSigned = random.chance(0.5), anyZero = random.chance(0.5);
    std::vector<uint8_t> x(static_cast<size_t>(s.n * s.c * s.h * s.w));
    std::vector<uint8_t> w(static_cast<size_t>(s.outC * s.groupC() * s.kernelH * s.kernelW));
    for (uint8_t& v : x) v = static_cast<uint8_t>(random.integer(0, 255));
    for (uint8_t& v : w) v = static_cast<uint8_t>(random.integer(0, 255));
    std::vector<int32_t> wZero(static_cast<size_t>(s.outC), wSigned ? 0 : 128);
    if (anyZero) {
      for (int32_t& z : wZero) z = static_cast<int32_t>(random.integer(0, 127));
    }
    const IntegerConvWeights packed = packConvW(w.data(), wSigned, s, wZero.data(), 1);

    const size_t outputs = static_cast<size_t>(s.n * s.outC * s.outH() * s.outW());
    std::vector<int32_t> acc(outputs), bias(static_cast<size_t>(s.outC));
    for (int32_t& b : bias) b = static_cast<int32_t>(random.integer(-5000, 5000));
    std::vector<float> wScale(static_cast<size_t>(s.outC));
    for (float& scale : wScale) scale = 0x1p-7f * (1.5f + random.uniform());
    const float xScale = 0.03f, yScale = 0.7f * static_cast<float>(s.groupC());
    const int32_t yZero = static_cast<int32_t>(random.integer(0, 127));
    std::vector<uint8_t> codes(outputs), threaded(outputs);
    IntegerConvArgs args;
    args.shape = s;
    args.x = x.data();
    args.xSigned = xSigned;
    args.xZeroPoint = static_cast<int32_t>(random.integer(0, 127));
    args.w = &packed;
    args.acc = acc.data();
    family.require(static_cast<bool>(integerConv(args)), "refused");
    args.acc = nullptr;
    args.codes = codes.data();
    args.requantize = {bias.data(), wScale.data(), &xScale, &yScale, &yZero, 0, random.chance(0.5)};
    family.require(static_cast<bool>(integerConv(args)), "refused");
    family.hash().add(acc);
    for (const uint8_t code : codes) family.hash().add(uint32_t{code});
    setThreads(3);
    args.codes = threaded.data();
    family.require(static_cast<bool>(integerConv(args)) && threaded == codes, "three threads give another result");
    setThreads(1);
  }
  return family.print();
}

}  // namespace

bool runOnnx() {
  setThreads(1);
  const bool planes = runFamily("onnx conv planes", 31, 300, true);
  return runFamily("onnx conv pixels", 32, 100, false) && planes;
}

}  // namespace faultline::isa
