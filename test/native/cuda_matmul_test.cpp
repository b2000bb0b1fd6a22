// The CUDA matrix products against the CPU's: the same accumulators and the same floats. On an emulated device in the
// native tests, on a real one in cuda_exactness.
#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "cuda_device.h"
#include "dispatch/dispatch.h"
#include "ops/matmul.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

struct Problem {
  int64_t m, n, k;
  WeightStorage storage = WeightStorage::int8;
  int64_t blockSize = 0;
  bool perTensor = false;
  int bits = 8;
  bool mixedBits = false;
  bool epilogue = false;
  float magnitude = 2.0f;
};

struct Result {
  std::vector<float> out;
  std::vector<int32_t> acc;
  std::vector<float> scale;
  std::vector<int32_t> zeroPoint;
  uint64_t fault = 0;
};

struct Operands {
  PackedMatrix weights;
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<float> x, bias, residual;
  std::vector<uint8_t> rowBits;
};

Operands makeOperands(const Problem& p, uint64_t seed) {
  Random random(seed);
  Operands o;
  const int weightBits = p.storage == WeightStorage::int4 ? 4 : 8;
  const int64_t scaleGroups = p.blockSize > 0 ? ceilDiv(p.k, p.blockSize) : 1;
  std::vector<int8_t> codes(static_cast<size_t>(p.n * p.k));
  const int64_t largest = p.storage == WeightStorage::int4 ? 7 : 127;
  for (int8_t& c : codes) c = static_cast<int8_t>(random.integer(-largest, largest));
  std::vector<float> scales(static_cast<size_t>(scaleGroups * p.n));
  for (float& s : scales) s = 0.001f + std::fabs(random.uniform()) * 0.01f;
  packMatrix(codes.data(), scales.data(), p.n, p.k, weightBits, p.storage, p.blockSize, kernels().kGroup, &o.weights);
  o.codes = std::move(codes);
  o.scales = std::move(scales);
  o.x = random.floats(p.m * p.k, p.magnitude);
  // Rows of different size and sign, one of them all zero.
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t k = 0; k < p.k; ++k) {
      float& v = o.x[static_cast<size_t>(i * p.k + k)];
      v = i % 7 == 3 ? 0.0f : i % 3 == 1 ? std::fabs(v) : v * (1.0f + 0.1f * static_cast<float>(i % 5));
    }
  }
  if (p.mixedBits) {
    for (int64_t i = 0; i < p.m; ++i) o.rowBits.push_back(static_cast<uint8_t>(2 + i % 7));
  }
  if (p.epilogue) {
    o.bias = random.floats(p.n, 1.0f);
    o.residual = random.floats(p.m * p.n, 1.0f);
  }
  return o;
}

constexpr float kClipMin = -0.75f, kClipMax = 1.5f;
constexpr uint32_t kCall = 5;

Result onProcessor(const Problem& p, const Operands& o, bool integers) {
  const size_t outputs = static_cast<size_t>(p.m * p.n), rows = static_cast<size_t>(p.m);
  Result r{std::vector<float>(integers ? 0 : outputs), std::vector<int32_t>(integers ? outputs : 0),
           std::vector<float>(rows), std::vector<int32_t>(rows)};
  MatmulDynamicArgs args;
  args.x = o.x.data();
  args.m = p.m;
  args.ldx = p.k;
  args.weights = &o.weights;
  args.perTensor = p.perTensor;
  args.bits = p.bits;
  args.rowBits = o.rowBits.empty() ? nullptr : o.rowBits.data();
  (integers ? (void)(args.acc = r.acc.data()) : (void)(args.out = r.out.data()));
  if (p.epilogue) args.epilogue = {o.bias.data(), o.residual.data(), kClipMin, kClipMax};
  args.rowScale = r.scale.data();
  args.rowZeroPoint = r.zeroPoint.data();
  REQUIRE(matmulDynamic(args));
  return r;
}

Result onDevice(const Problem& p, const Operands& o, bool integers) {
  const size_t outputs = static_cast<size_t>(p.m * p.n), rows = static_cast<size_t>(p.m);
  Result r{std::vector<float>(integers ? 0 : outputs), std::vector<int32_t>(integers ? outputs : 0),
           std::vector<float>(rows), std::vector<int32_t>(rows)};
  cuda::Session& session = test::session();
  const cuda::DeviceMemory fault = test::upload(std::vector<uint64_t>{cuda::kNoFault});
  cuda::UploadedWeights weights;
  const bool int4 = p.storage == WeightStorage::int4;
  REQUIRE(session.upload(cuda::matrixImage(o.codes.data(), o.scales.data(), p.n, p.k, int4, p.blockSize), &weights));
  const cuda::DeviceMemory x = test::upload(o.x), bias = test::upload(o.bias), residual = test::upload(o.residual);
  const cuda::DeviceMemory out = test::take(outputs * sizeof(float));
  cuda::MatmulCall call;
  call.x = x.as<float>();
  call.m = p.m;
  call.fault = {fault.as<uint64_t>(), kCall};
  call.output.clipMin = -std::numeric_limits<float>::infinity();
  call.output.clipMax = std::numeric_limits<float>::infinity();
  if (p.epilogue) {
    call.output.bias = bias.as<float>();
    call.output.residual = residual.as<float>();
    call.output.clipMin = kClipMin;
    call.output.clipMax = kClipMax;
  }
  (integers ? (void)(call.output.acc = out.as<int32_t>()) : (void)(call.output.out = out.as<float>()));
  const uint8_t* rowBits = o.rowBits.empty() ? nullptr : o.rowBits.data();
  REQUIRE(session.matmul(call, weights, {p.perTensor, p.bits, rowBits, r.scale.data(), r.zeroPoint.data()}));
  void* const to = integers ? static_cast<void*>(r.acc.data()) : static_cast<void*>(r.out.data());
  session.device().download(to, out.as<void>(), outputs * sizeof(float));
  r.fault = test::download<uint64_t>(fault, 1)[0];
  return r;
}

template <typename T>
bool sameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void compare(const Problem& p, uint64_t seed) {
  const std::string name = std::to_string(p.m) + " x " + std::to_string(p.n) + " x " + std::to_string(p.k);
  CAPTURE(name);
  const Operands o = makeOperands(p, seed);
  for (const bool integers : {true, false}) {
    if (integers && p.blockSize > 0) continue;
    const Result want = onProcessor(p, o, integers);
    const Result received = onDevice(p, o, integers);
    CHECK(sameBits(received.scale, want.scale));
    CHECK(received.zeroPoint == want.zeroPoint);
    CHECK(received.acc == want.acc);
    CHECK(sameBits(received.out, want.out));
    CHECK(received.fault == cuda::kNoFault);
  }
}

}  // namespace

TEST_CASE("cuda matmul: every tile width, edges of tiles and a ring of stages that wraps, as on the CPU") {
  compare({.m = 17, .n = 1, .k = 1}, 1);
  compare({.m = 129, .n = 33, .k = 65, .epilogue = true}, 2);
  compare({.m = 20, .n = 130, .k = 64 * 6 + 3}, 3);
  compare({.m = 31, .n = 32, .k = 64 * 4}, 4);
}

TEST_CASE("cuda matmul: int4 weights unpacked in registers") {
  compare({.m = 18, .n = 100, .k = 200, .storage = WeightStorage::int4, .epilogue = true}, 5);
  compare({.m = 40, .n = 20, .k = 31, .storage = WeightStorage::int4}, 6);
  compare({.m = 33, .n = 64, .k = 64, .storage = WeightStorage::int4}, 7);
}

TEST_CASE("cuda matmul: few rows") {
  for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
    compare({.m = 1, .n = 9, .k = 1100, .storage = storage, .epilogue = true}, 8);
    compare({.m = 16, .n = 3, .k = 63, .storage = storage}, 9);
    compare({.m = 9, .n = 8, .k = 2048, .storage = storage}, 10);
  }
}

TEST_CASE("cuda matmul: scales by group of K keep the CPU's order of additions") {
  for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
    for (const int64_t blockSize : {16, 32, 128, 1024, 2048}) {
      CAPTURE(blockSize);
      compare({.m = 3, .n = 5, .k = 2500, .storage = storage, .blockSize = blockSize, .epilogue = true}, 11);
    }
    compare({.m = 18, .n = 5, .k = 70, .storage = storage, .blockSize = 32}, 12);
  }
}

TEST_CASE("cuda matmul: bits by row, fewer bits, one range for all rows") {
  compare({.m = 21, .n = 17, .k = 50, .mixedBits = true}, 13);
  for (const int bits : {2, 5, 8}) compare({.m = 19, .n = 9, .k = 40, .perTensor = true, .bits = bits}, 14);
}

TEST_CASE("cuda matmul: ranges of several slices, too wide for fp32, and denormal ones") {
  compare({.m = 2, .n = 2, .k = 40000}, 15);
  compare({.m = 17, .n = 3, .k = 20, .magnitude = FLT_MAX / 4}, 16);
  compare({.m = 17, .n = 3, .k = 20, .magnitude = 1e-41f}, 17);
}

TEST_CASE("cuda quantization: the first row with NaN or infinity is named") {
  const Problem p = {.m = 40, .n = 2, .k = 30};
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    for (const bool perTensor : {false, true}) {
      Problem q = p;
      q.perTensor = perTensor;
      Operands o = makeOperands(q, 18);
      o.x[static_cast<size_t>(33 * p.k + 29)] = value;
      o.x[static_cast<size_t>(37 * p.k)] = value;
      const Result received = onDevice(q, o, true);
      CHECK((received.fault >> 32) == kCall);
      CHECK((received.fault & 0xffffffff) == 33);
    }
  }
}

}  // namespace faultline
