// What the CUDA code does between products, against the same loops on the CPU; and the session's memory.
#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cuda_device.h"
#include "random.h"

namespace faultline {
namespace {

using test::Random;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;  // which NaN is no one's promise
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return false;
  }
  return true;
}

// A window's mean or largest value, as ONNX defines them, in plain loops.
std::vector<float> pooled(const cuda::PoolShape& s, PoolKind kind, const std::vector<float>& x) {
  std::vector<float> y;
  for (int n = 0; n < s.n; ++n) {
    for (int oh = 0; oh < s.outH; ++oh) {
      for (int ow = 0; ow < s.outW; ++ow) {
        for (int c = 0; c < s.c; ++c) {
          float most = -kInfinity, sum = 0.0f;
          int count = 0;
          for (int kh = 0; kh < s.kernelH; ++kh) {
            for (int kw = 0; kw < s.kernelW; ++kw) {
              const int ih = oh * s.strideH - s.padTop + kh * s.dilationH;
              const int iw = ow * s.strideW - s.padLeft + kw * s.dilationW;
              const bool inside = ih >= 0 && ih < s.h && iw >= 0 && iw < s.w;
              const bool padding =
                  ih >= -s.padTop && ih < s.h + s.padBottom && iw >= -s.padLeft && iw < s.w + s.padRight;
              count += kind == PoolKind::meanWithPadding ? padding : inside;
              if (!inside) continue;
              const float v = x[static_cast<size_t>(((n * s.h + ih) * s.w + iw) * s.c + c)];
              most = v > most || std::isnan(v) ? v : most;
              sum += v;
            }
          }
          y.push_back(kind == PoolKind::largest ? most : sum * (1.0f / static_cast<float>(count)));
        }
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("cuda pools: largest, mean, mean with padding") {
  Random random(1);
  const cuda::PoolShape uneven = {2, 7, 6, 5, 4, 3, 3, 2, 2, 2, 1, 0, 1, 1, 1, 2};
  const cuda::PoolShape whole = {3, 4, 5, 33, 1, 1, 4, 5, 1, 1, 0, 0, 0, 0, 1, 1};
  for (const cuda::PoolShape& shape : {uneven, whole}) {
    std::vector<float> x = random.floats(int64_t{shape.n} * shape.h * shape.w * shape.c, 3.0f);
    x[7] = kNaN;
    const cuda::DeviceMemory from = test::upload(x);
    const int64_t count = int64_t{shape.n} * shape.outH * shape.outW * shape.c;
    const cuda::DeviceMemory to = test::take(static_cast<size_t>(count) * sizeof(float));
    for (const auto kind : {PoolKind::largest, PoolKind::mean, PoolKind::meanWithPadding}) {
      CAPTURE(static_cast<int>(kind));
      test::session().device().pool({kind, shape, from.as<float>(), to.as<float>(), count});
      CHECK(sameBits(test::download<float>(to, static_cast<size_t>(count)), pooled(shape, kind, x)));
    }
  }
}

TEST_CASE("cuda functions of two values: broadcasting, NaN") {
  Random random(2);
  std::vector<float> a = random.floats(3 * 4 * 5, 2.0f);
  const std::vector<float> b = random.floats(4, 2.0f);
  a[11] = kNaN;
  cuda::DeviceWalk walk;
  walk.rank = 3;
  const int32_t dims[] = {3, 4, 5}, first[] = {20, 5, 1}, second[] = {0, 1, 0};
  std::copy_n(dims, 3, walk.dims);
  std::copy_n(first, 3, walk.first);
  std::copy_n(second, 3, walk.second);
  walk.count = 60;
  const cuda::DeviceMemory x = test::upload(a), y = test::upload(b), z = test::take(60 * sizeof(float));
  const auto check = [&](Binary function, auto&& f) {
    CAPTURE(static_cast<int>(function));
    test::session().device().binary({function, walk, x.as<float>(), y.as<float>(), z.as<float>()});
    std::vector<float> want;
    for (size_t i = 0; i < a.size(); ++i) want.push_back(f(a[i], b[i / 5 % 4]));
    CHECK(sameBits(test::download<float>(z, 60), want));
  };
  check(Binary::add, [](float p, float q) { return p + q; });
  check(Binary::sub, [](float p, float q) { return p - q; });
  check(Binary::mul, [](float p, float q) { return p * q; });
  check(Binary::div, [](float p, float q) { return p / q; });
  check(Binary::addRelu, [](float p, float q) { return p + q < 0.f ? 0.f : p + q; });
  check(Binary::min, [](float p, float q) { return p < q || std::isnan(p) ? p : q; });
  check(Binary::max, [](float p, float q) { return p > q || std::isnan(p) ? p : q; });

  // The other way round in memory.
  std::swap(walk.dims[1], walk.dims[2]);
  std::swap(walk.first[1], walk.first[2]);
  const int32_t contiguous[] = {20, 4, 1};
  std::copy_n(contiguous, 3, walk.second);
  test::session().device().copy({walk, x.as<float>(), z.as<float>()});
  std::vector<float> want;
  for (size_t n = 0; n < 3; ++n) {
    for (size_t j = 0; j < 5; ++j) {
      for (size_t i = 0; i < 4; ++i) want.push_back(a[n * 20 + i * 5 + j]);
    }
  }
  CHECK(sameBits(test::download<float>(z, 60), want));
}

TEST_CASE("cuda functions of one value: bounds, both infinities and NaN; the rest is compared through JavaScript") {
  std::vector<float> x = {-2.0f, -0.0f, 0.0f, 0.5f, 3.0f, kInfinity, -kInfinity, kNaN, FLT_MAX, 1e-42f};
  const cuda::DeviceMemory from = test::upload(x), to = test::take(x.size() * sizeof(float));
  const auto check = [&](Unary function, float p, float q, auto&& f) {
    CAPTURE(static_cast<int>(function));
    test::session().device().unary({function, p, q, from.as<float>(), to.as<float>(), static_cast<int64_t>(x.size())});
    std::vector<float> want;
    for (const float v : x) want.push_back(f(v));
    CHECK(sameBits(test::download<float>(to, x.size()), want));
  };
  check(Unary::relu, 0, 0, [](float v) { return v < 0.f ? 0.f : v; });
  check(Unary::clip, -1, 2, [](float v) { return v < -1.f ? -1.f : v > 2.f ? 2.f : v; });
  check(Unary::scale, 3, 1, [](float v) { return 3.f * v + 1.f; });
  check(Unary::abs, 0, 0, [](float v) { return std::fabs(v); });
  check(Unary::sqrt, 0, 0, [](float v) { return std::sqrt(v); });
  check(Unary::leakyRelu, .1f, 0, [](float v) { return v < 0.f ? .1f * v : v; });
}

TEST_CASE("cuda score: the first of equal logits, either list of classes left out") {
  constexpr size_t kRows = 300, kClasses = 7;
  Random random(3);
  std::vector<float> logits = random.floats(kRows * kClasses, 1.0f);
  std::vector<int32_t> labels, reference;
  int32_t correct = 0, agreeing = 0;
  for (size_t row = 0; row < kRows; ++row) {
    float* own = logits.data() + row * kClasses;
    if (row % 5 == 0) own[6] = own[2] = 9.0f;
    int32_t best = 0;
    for (int32_t i = 1; i < static_cast<int32_t>(kClasses); ++i) best = own[i] > own[best] ? i : best;
    labels.push_back(row % 3 == 0 ? best : 6);
    reference.push_back(row % 2 == 0 ? best : 0);
    correct += labels.back() == best;
    agreeing += reference.back() == best;
  }
  const cuda::DeviceMemory x = test::upload(logits), a = test::upload(labels), b = test::upload(reference);
  const cuda::DeviceMemory counts = test::upload(std::vector<int32_t>(2));
  cuda::Device& device = test::session().device();
  device.score({x.as<float>(), kRows, kClasses, a.as<int32_t>(), b.as<int32_t>(), counts.as<int32_t>()});
  CHECK(test::download<int32_t>(counts, 2) == std::vector<int32_t>{correct, agreeing});
  device.score({x.as<float>(), kRows, kClasses, nullptr, b.as<int32_t>(), counts.as<int32_t>()});
  CHECK(test::download<int32_t>(counts, 2) == std::vector<int32_t>{correct, 2 * agreeing});
}

TEST_CASE("cuda memory: given back is taken again, too much is refused and the session goes on") {
  cuda::Session& session = test::session();
  const size_t before = session.pool().bytesInUse();
  void* first = nullptr;
  {
    const cuda::DeviceMemory memory = test::take(100000);
    first = memory.as<void>();
    CHECK(session.pool().bytesInUse() == before + cuda::MemoryPool::rounded(100000));
  }
  CHECK(session.pool().bytesInUse() == before);
  CHECK(test::take(99999).as<void>() == first);
  cuda::DeviceMemory huge;
  const cuda::DeviceStatus status = session.take(size_t{1} << 46, &huge);
  CHECK(status.error == cuda::DeviceError::outOfMemory);
  CHECK(status.message.find("expected 67108864 MiB") != std::string::npos);
  CHECK(!huge);
  CHECK(test::download<float>(test::upload(std::vector<float>{3.0f}), 1) == std::vector<float>{3.0f});
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{512}, size_t{513}, size_t{8191}, size_t{8193}, size_t{123456789}}) {
    CAPTURE(bytes);
    CHECK(cuda::MemoryPool::rounded(bytes) >= bytes);
    CHECK(cuda::MemoryPool::rounded(bytes) <= bytes + std::max(size_t{512}, bytes / 8));
    CHECK(cuda::MemoryPool::rounded(cuda::MemoryPool::rounded(bytes)) == cuda::MemoryPool::rounded(bytes));
  }
}

}  // namespace faultline
