// The benchmark's checks must pass what is right and catch a single wrong element: they decide what is timed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../bench/native/plan.h"
#include "../../bench/native/problem.h"

namespace faultline::bench {
namespace {

Job job(const std::string& line) {
  Job parsed;
  const Status status = parseJob(line, &parsed);
  REQUIRE_MESSAGE(status, status.message());
  return parsed;
}

// Σ over the window, straight from the definition, of `value(input, weight index, output channel)`; NHWC.
template <typename Value>
std::vector<double> convolve(const Geometry& g, Value value) {
  std::vector<double> y;
  for (int64_t n = 0; n < g.n; ++n) {
    for (int64_t oy = 0; oy < g.oh(); ++oy) {
      for (int64_t ox = 0; ox < g.ow(); ++ox) {
        for (int64_t oc = 0; oc < g.oc; ++oc) {
          double sum = 0;
          const int64_t group = oc / (g.oc / g.groups);
          for (int64_t ky = 0; ky < g.kh; ++ky) {
            for (int64_t kx = 0; kx < g.kw; ++kx) {
              const int64_t iy = oy * g.strideH + ky * g.dilationH - g.padTop;
              const int64_t ix = ox * g.strideW + kx * g.dilationW - g.padLeft;
              if (iy < 0 || iy >= g.h || ix < 0 || ix >= g.w) continue;
              for (int64_t c = 0; c < g.c / g.groups; ++c) {
                const int64_t input = ((n * g.h + iy) * g.w + ix) * g.c + group * (g.c / g.groups) + c;
                sum += value(n, input, (ky * g.kw + kx) * (g.c / g.groups) + c, oc);
              }
            }
          }
          y.push_back(sum);
        }
      }
    }
  }
  return y;
}

std::vector<double> dequantizedProduct(const Problem& p, const QuantizedInput& a) {
  const Geometry& g = p.shape();
  return convolve(g, [&](int64_t n, int64_t input, int64_t weight, int64_t oc) {
    const int64_t block = p.job.blockSize > 0 ? weight / p.job.blockSize : 0;
    const size_t sample = static_cast<size_t>(n);
    return static_cast<double>(a.codes[static_cast<size_t>(input)] - a.zeroPoint[sample]) * a.scale[sample] *
           p.w[static_cast<size_t>(oc * g.depth() + weight)] * p.wScales[static_cast<size_t>(block * g.oc + oc)];
  });
}

// NHWC to NCHW.
template <typename T>
std::vector<T> channelsFirst(const Geometry& g, const std::vector<T>& y) {
  std::vector<T> t(y.size());
  for (int64_t n = 0; n < g.n; ++n) {
    for (int64_t i = 0; i < g.pixels(); ++i) {
      for (int64_t oc = 0; oc < g.oc; ++oc) {
        t[static_cast<size_t>((n * g.oc + oc) * g.pixels() + i)] =
            y[static_cast<size_t>((n * g.pixels() + i) * g.oc + oc)];
      }
    }
  }
  return t;
}

const char* const kConvolutions[] = {
    "n=2 h=5 w=7 c=6 oc=8 kh=3 kw=3 sh=2 sw=1 pt=1 pl=1 pb=0 pr=1",
    "n=1 h=6 w=6 c=6 oc=6 kh=3 kw=3 pt=1 pl=1 pb=1 pr=1 g=6",
    "n=1 h=9 w=9 c=4 oc=6 kh=3 kw=2 dh=2 dw=3 g=2",
};

TEST_CASE("accumulators: right ones pass, one that is off by one is named, in both layouts") {
  for (const std::string shape : kConvolutions) {
    const Problem p = makeProblem(job("conv.s32 " + shape));
    const Geometry& g = p.shape();
    const auto exact = convolve(g, [&](int64_t, int64_t input, int64_t weight, int64_t oc) {
      return static_cast<double>(p.perSample.codes[static_cast<size_t>(input)] *
                                 p.w[static_cast<size_t>(oc * g.depth() + weight)]);
    });
    const std::vector<int32_t> acc(exact.begin(), exact.end());
    CHECK(checkAccumulators(p, acc.data(), nhwc(g)) == "");
    CHECK(checkAccumulators(p, channelsFirst(g, acc).data(), nchw(g)) == "");
    for (size_t i = 0; i < acc.size(); ++i) {
      auto wrong = acc;
      wrong[i] += i % 2 == 0 ? 1 : -1;
      const std::string complaint = checkAccumulators(p, wrong.data(), nhwc(g));
      const std::string channel = "channel " + std::to_string(static_cast<int64_t>(i) % g.oc) + ":";
      CHECK_MESSAGE(complaint.find(channel) != std::string::npos, complaint);
    }
  }
}

TEST_CASE("s32 problems: the float activations are the codes, their range exactly 0 to 255") {
  const Problem p = makeProblem(job("conv.s32 n=3 h=4 w=4 c=3 oc=2 kh=3 kw=3"));
  for (int64_t n = 0; n < 3; ++n) {
    const float* x = p.x.data() + n * p.shape().sampleSize();
    CHECK(*std::max_element(x, x + p.shape().sampleSize()) == 255.0f);
    CHECK(*std::min_element(x, x + p.shape().sampleSize()) >= 0.0f);
  }
  for (size_t i = 0; i < p.x.size(); ++i) CHECK(p.x[i] == p.perSample.codes[i]);
}

TEST_CASE("floats: right ones pass; an element, a zero point or a granularity that is wrong does not") {
  std::vector<std::string> lines{"matmul.dynamic m=5 n=19 k=70", "matmul.int4 m=5 n=19 k=70 block=32",
                                 "matmul.int4 m=5 n=19 k=70 block=0"};
  for (const std::string shape : kConvolutions) lines.push_back("conv.dynamic " + shape);
  for (const std::string& line : lines) {
    CAPTURE(line);
    const Problem p = makeProblem(job(line));
    const Geometry& g = p.shape();
    for (const QuantizedInput* a : {&p.perSample, &p.perTensor}) {
      const auto exact = dequantizedProduct(p, *a);
      const std::vector<float> y(exact.begin(), exact.end());
      CHECK(checkFloats(p, *a, y.data(), nhwc(g)) == "");
      CHECK(checkFloats(p, *a, channelsFirst(g, y).data(), nchw(g)) == "");
      const float largest =
          std::abs(*std::max_element(y.begin(), y.end(), [](float s, float t) { return std::abs(s) < std::abs(t); }));
      for (size_t i = 0; i < y.size(); ++i) {
        auto wrong = y;
        wrong[i] += 1e-3f * largest;
        CHECK(checkFloats(p, *a, wrong.data(), nhwc(g)) != "");
        wrong[i] = NAN;
        CHECK(checkFloats(p, *a, wrong.data(), nhwc(g)) != "");
      }
      QuantizedInput shifted{AlignedBuffer<uint8_t>(a->codes.size()), a->scale, a->zeroPoint};
      std::copy_n(a->codes.data(), a->codes.size(), shifted.codes.data());
      shifted.zeroPoint.back() += 1;
      CHECK(checkFloats(p, shifted, y.data(), nhwc(g)) != "");
    }
    if (g.n > 1) {
      const auto other = dequantizedProduct(p, p.perTensor);
      const std::vector<float> y(other.begin(), other.end());
      CHECK(checkFloats(p, p.perSample, y.data(), nhwc(g)) != "");
    }
  }
}

TEST_CASE("block-quantized activations: 8-bit rounding passes; 7-bit rounding, a lost block or a swap does not") {
  const Problem p = makeProblem(job("matmul.int4 m=40 n=48 k=256 block=32"));
  const Geometry& g = p.shape();
  // y with activations rounded in blocks of 32 to so many levels, products from `first` on.
  const auto product = [&](double levels, int64_t first) {
    std::vector<float> y;
    for (int64_t m = 0; m < g.n; ++m) {
      std::vector<double> a(static_cast<size_t>(g.c));
      for (int64_t b = 0; b < g.c; b += 32) {
        const float* x = p.x.data() + m * g.c + b;
        double absMax = 0;
        for (int64_t k = 0; k < 32; ++k) absMax = std::max(absMax, std::abs(static_cast<double>(x[k])));
        const double step = absMax / levels;
        for (int64_t k = 0; k < 32; ++k) a[static_cast<size_t>(b + k)] = std::nearbyint(x[k] / step) * step;
      }
      for (int64_t n = 0; n < g.oc; ++n) {
        double sum = 0;
        for (int64_t k = first; k < g.c; ++k) {
          sum += a[static_cast<size_t>(k)] * p.w[static_cast<size_t>(n * g.c + k)] *
                 p.wScales[static_cast<size_t>(k / 32 * g.oc + n)];
        }
        y.push_back(static_cast<float>(sum));
      }
    }
    return y;
  };
  auto y = product(127, 0);
  CHECK(checkBlockQuantized(p, y.data(), 32) == "");
  CHECK(checkBlockQuantized(p, product(63, 0).data(), 32) != "");
  CHECK(checkBlockQuantized(p, product(127, 32).data(), 32) != "");
  CHECK(checkBlockQuantized(p, product(127, 1).data(), 32) != "");
  std::swap(y[0], y[static_cast<size_t>(g.oc)]);
  CHECK(checkBlockQuantized(p, y.data(), 32) != "");
}

TEST_CASE("requantized codes: rounding passes, a step beside it does not") {
  const Problem p = makeProblem(job(std::string("conv.s32 ") + kConvolutions[0]));
  const Geometry& g = p.shape();
  const auto exact = dequantizedProduct(p, p.perSample);
  constexpr float kScale = 40.0f;
  std::vector<uint8_t> y;
  for (const double v : exact)
    y.push_back(static_cast<uint8_t>(std::clamp(std::nearbyint(v / kScale) + 128, 0.0, 255.0)));
  CHECK(checkRequantized(p, p.perSample, y.data(), kScale, 128, nhwc(g)) == "");
  CHECK(checkRequantized(p, p.perSample, channelsFirst(g, y).data(), kScale, 128, nchw(g)) == "");
  auto wrong = y;
  for (uint8_t& code : wrong) code = static_cast<uint8_t>(code < 128 ? code + 2 : code - 2);
  CHECK(checkRequantized(p, p.perSample, wrong.data(), kScale, 128, nhwc(g)) != "");
}

TEST_CASE("jobs: every field is read, nonsense is refused with what was expected and what received") {
  const Job parsed =
      job("conv.int4 n=2 h=9 w=8 c=4 oc=6 kh=3 kw=2 sh=2 sw=1 dh=1 dw=2 pt=1 pl=2 pb=3 pr=4 g=2 block=32 "
          "wmax=5 threads=1,2");
  CHECK(parsed.op == Op::convInt4);
  CHECK(parsed.shape.oh() == 6);
  CHECK(parsed.shape.ow() == 12);
  CHECK(parsed.shape.depth() == 12);
  CHECK(parsed.blockSize == 32);
  CHECK(parsed.weightMax == 5);
  CHECK(parsed.threads == std::vector<int>{1, 2});
  const Problem p = makeProblem(parsed);
  CHECK(*std::max_element(p.w.data(), p.w.data() + p.w.size()) == 5);
  CHECK(*std::min_element(p.w.data(), p.w.data() + p.w.size()) == -5);

  const auto refusal = [](const std::string& line) {
    Job ignored;
    return parseJob(line, &ignored).message();
  };
  CHECK(refusal("product m=1") == "bench: job \"product m=1\": expected an operation, received \"product\"");
  CHECK(refusal("matmul.s32 m=1 n=2 k=x").find("expected a natural number for k, received \"x\"") != std::string::npos);
  CHECK(refusal("matmul.s32 m=0 n=2 k=3").find("expected sizes of at least 1, received 0") != std::string::npos);
  CHECK(refusal("matmul.s32 oc=3").find("expected a known key, received \"oc\"") != std::string::npos);
  CHECK(refusal("matmul.s32 m=1 threads=0").find("expected 1 to 1024 threads, received \"0\"") != std::string::npos);
  CHECK(refusal("conv.s32 c=3 oc=4 g=2").find("3 and 4 channels, 2 groups") != std::string::npos);
  CHECK(refusal("conv.s32 h=2 kh=3").find("expected a kernel that fits") != std::string::npos);
}

}  // namespace
}  // namespace faultline::bench
