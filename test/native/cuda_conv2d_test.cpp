// The CUDA convolutions against the CPU's: the same accumulators and the same floats. See cuda_matmul_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "cuda_device.h"
#include "dispatch/dispatch.h"
#include "ops/conv2d.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

struct Problem {
  int64_t n, h, w;
  ConvWeightShape shape;
  Conv2dWindow window = {};
  WeightStorage storage = WeightStorage::int8;
  bool perTensor = false;
  bool mixedBits = false;
};

void compare(const Problem& p, uint64_t seed) {
  Random random(seed);
  const ConvWeightShape& shape = p.shape;
  const bool int4 = p.storage == WeightStorage::int4;
  std::vector<int8_t> codes(static_cast<size_t>(shape.outChannels * shape.k()));
  for (int8_t& c : codes) c = static_cast<int8_t>(int4 ? random.integer(-7, 7) : random.integer(-127, 127));
  std::vector<float> scales(static_cast<size_t>(shape.outChannels));
  for (float& s : scales) s = 0.001f + std::fabs(random.uniform()) * 0.01f;
  PackedConv conv;
  packConv(codes.data(), scales.data(), shape, int4 ? 4 : 8, p.storage, 0, kernels().isa, kernels().kGroup, &conv);

  Conv2dDynamicArgs args;
  args.n = p.n;
  args.h = p.h;
  args.w = p.w;
  args.c = shape.inChannels();
  args.window = p.window;
  args.weights = &conv;
  args.perTensor = p.perTensor;
  std::vector<float> x = random.floats(p.n * p.h * p.w * args.c, 1.0f);
  // Samples of different size and sign, so that each has its own scale and zero point.
  const size_t each = x.size() / static_cast<size_t>(p.n);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = x[i] * static_cast<float>(1 + i / each) + 0.3f * static_cast<float>(i / each);
  std::vector<uint8_t> bits;
  for (int64_t i = 0; i < p.n; ++i) bits.push_back(static_cast<uint8_t>(8 - i % 7));
  args.x = x.data();
  if (p.mixedBits) args.sampleBits = bits.data();
  const Conv2dWindow& v = p.window;
  const int64_t outH = windowOutputs(p.h, shape.kernelH, v.strideH, v.dilationH, v.padTop, v.padBottom);
  const int64_t outW = windowOutputs(p.w, shape.kernelW, v.strideW, v.dilationW, v.padLeft, v.padRight);
  const size_t outputs = static_cast<size_t>(p.n * outH * outW * shape.outChannels);
  const std::vector<float> bias = random.floats(shape.outChannels, 1.0f);
  const std::vector<float> residual = random.floats(static_cast<int64_t>(outputs), 1.0f);
  args.epilogue = {bias.data(), residual.data(), -0.5f, 2.0f};

  cuda::Session& session = test::session();
  cuda::UploadedWeights weights;
  weights.shape = shape;
  weights.isConv = true;
  REQUIRE(session.upload(cuda::convolutionImage(codes.data(), scales.data(), shape, int4), &weights));
  const cuda::DeviceMemory deviceX = test::upload(x), deviceBias = test::upload(bias);
  const cuda::DeviceMemory deviceResidual = test::upload(residual);
  const cuda::DeviceMemory out = test::take(outputs * sizeof(float));
  cuda::ConvCall call;
  call.x = deviceX.as<float>();
  call.n = p.n;
  call.h = p.h;
  call.w = p.w;
  call.c = args.c;
  call.strideH = v.strideH;
  call.strideW = v.strideW;
  call.dilationH = v.dilationH;
  call.dilationW = v.dilationW;
  call.padTop = v.padTop;
  call.padLeft = v.padLeft;
  call.padBottom = v.padBottom;
  call.padRight = v.padRight;
  call.outH = outH;
  call.outW = outW;

  for (const bool integers : {true, false}) {
    CAPTURE(integers);
    std::vector<float> wantOut(integers ? 0 : outputs), cameOut(wantOut.size());
    std::vector<int32_t> wantAcc(integers ? outputs : 0), cameAcc(wantAcc.size());
    args.out = integers ? nullptr : wantOut.data();
    args.acc = integers ? wantAcc.data() : nullptr;
    REQUIRE(conv2dDynamic(args));
    call.output = {};
    call.output.bias = deviceBias.as<float>();
    call.output.residual = deviceResidual.as<float>();
    call.output.clipMin = -0.5f;
    call.output.clipMax = 2.0f;
    call.output.out = integers ? nullptr : out.as<float>();
    call.output.acc = integers ? out.as<int32_t>() : nullptr;
    REQUIRE(session.conv2d(call, weights, {p.perTensor, 8, args.sampleBits, nullptr, nullptr}));
    void* const to = integers ? static_cast<void*>(cameAcc.data()) : static_cast<void*>(cameOut.data());
    session.device().download(to, out.as<void>(), outputs * sizeof(float));
    CHECK(cameAcc == wantAcc);
    CHECK((outputs == 0 || integers || std::memcmp(cameOut.data(), wantOut.data(), outputs * sizeof(float)) == 0));
  }
}

constexpr Conv2dWindow kSame3 = {1, 1, 1, 1, 1, 1, 1, 1};

}  // namespace

TEST_CASE("cuda conv2d: padding is each sample's zero point") {
  compare({.n = 3, .h = 5, .w = 6, .shape = {8, 3, 3, 3, 1}, .window = kSame3, .mixedBits = true}, 1);
  compare({.n = 2, .h = 4, .w = 4, .shape = {70, 3, 3, 20, 1}, .window = kSame3, .perTensor = true}, 2);
}

TEST_CASE("cuda conv2d: strides, dilation, uneven padding and windows, 1 x 1") {
  compare({.n = 1, .h = 9, .w = 8, .shape = {40, 3, 2, 17, 1}, .window = {2, 1, 1, 2, 0, 1, 2, 3}}, 3);
  compare({.n = 2, .h = 3, .w = 7, .shape = {5, 1, 1, 33, 1}, .window = {1, 2, 1, 1, 0, 0, 0, 0}}, 4);
}

TEST_CASE("cuda conv2d: groups and int4 weights") {
  compare({.n = 2, .h = 4, .w = 5, .shape = {12, 3, 3, 4, 3}, .window = kSame3, .mixedBits = true}, 5);
  compare({.n = 1, .h = 5, .w = 5, .shape = {36, 3, 3, 18, 2}, .window = kSame3, .storage = WeightStorage::int4}, 6);
}

TEST_CASE("cuda conv2d: depthwise, with a multiplier") {
  compare({.n = 3, .h = 6, .w = 5, .shape = {19, 3, 3, 1, 19}, .window = kSame3, .mixedBits = true}, 7);
  compare({.n = 2, .h = 7, .w = 7, .shape = {6, 5, 3, 1, 3}, .window = {2, 2, 1, 2, 2, 2, 1, 2}, .perTensor = true}, 8);
}

}  // namespace faultline
