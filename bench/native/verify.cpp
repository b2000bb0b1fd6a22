// The checks every implementation passes before it is timed.
//
// Integers: every element, by Freivalds' method. With a random 64-bit number r[oc] for each output channel, a right
// result has Σ_oc r[oc] · acc[pixel, oc] = Σ_i a[pixel, i] · (Σ_oc r[oc] · w[oc, i]) modulo 2^64; a wrong one passes
// with a probability below 2^−30 a pixel. It costs 1/OC of the product itself. Floats: the same sums in fp64 within
// the rounding error of the element-wise sequence, and a random sample of single elements within a tighter bound.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "problem.h"

namespace faultline::bench {
namespace {

constexpr int64_t kSampledElements = 20000;
// Multiply-adds the single elements of one check may cost together: a fraction of a second.
constexpr int64_t kSampledMacs = 100'000'000;
// Roundings from a sum of exact accumulators to an output: int → float, the two scales' product, the product with it,
// and one to spare for implementations that apply the scales one after the other. 2^−23 is twice the unit roundoff.
constexpr double kRoundings = 4;
constexpr double kRounding = 0x1p-23;

std::string mismatch(const char* what, int64_t n, int64_t pixel, int64_t oc, double expected, double received,
                     double bound) {
  char text[256];
  std::snprintf(text, sizeof text, "%s: sample %lld, pixel %lld, channel %lld: expected %.9g ± %.3g, received %.9g",
                what, static_cast<long long>(n), static_cast<long long>(pixel), static_cast<long long>(oc), expected,
                bound, received);
  return text;
}

// Calls fn(index into the input, index into one output channel's weights, taps) for each run of input channels that
// the output pixel sees; what lies in the padding is zero and left out.
template <typename Fn>
void forEachTap(const Geometry& g, int64_t n, int64_t pixel, int64_t group, Fn&& fn) {
  const int64_t oy = pixel / g.ow(), ox = pixel % g.ow(), cpg = g.channelsPerGroup();
  for (int64_t ky = 0; ky < g.kh; ++ky) {
    const int64_t y = oy * g.strideH - g.padTop + ky * g.dilationH;
    if (y < 0 || y >= g.h) continue;
    for (int64_t kx = 0; kx < g.kw; ++kx) {
      const int64_t x = ox * g.strideW - g.padLeft + kx * g.dilationW;
      if (x < 0 || x >= g.w) continue;
      fn(((n * g.h + y) * g.w + x) * g.c + group * cpg, (ky * g.kw + kx) * cpg, cpg);
    }
  }
}

struct Element {
  double value = 0;      // Σ over scale groups of accumulator · weight scale · activation scale
  double magnitude = 0;  // the same with absolute values: what rounding errors are relative to
};

Element exactElement(const Problem& p, const QuantizedInput& a, int64_t n, int64_t pixel, int64_t oc) {
  const Geometry& g = p.shape();
  std::vector<int64_t> acc(static_cast<size_t>(p.scaleGroups));
  const int8_t* w = p.w.data() + oc * g.depth();
  const int32_t zeroPoint = a.zeroPoint[static_cast<size_t>(n)];
  forEachTap(g, n, pixel, oc / g.outputsPerGroup(), [&](int64_t input, int64_t weight, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t block = p.job.blockSize > 0 ? (weight + i) / p.job.blockSize : 0;
      const int32_t code = a.codes[static_cast<size_t>(input + i)];
      acc[static_cast<size_t>(block)] += int64_t{code - zeroPoint} * w[weight + i];
    }
  });
  Element e;
  for (int64_t b = 0; b < p.scaleGroups; ++b) {
    const double term = static_cast<double>(acc[static_cast<size_t>(b)]) *
                        p.wScales[static_cast<size_t>(b * g.oc + oc)] * a.scale[static_cast<size_t>(n)];
    e.value += term;
    e.magnitude += std::abs(term);
  }
  return e;
}

// Visits a seeded sample of output elements, the corners among them, until fn returns a complaint.
template <typename Fn>
std::string forSampledElements(const Geometry& g, Fn&& fn) {
  std::mt19937_64 random(1);
  const int64_t count = std::min({kSampledElements, g.outputs(), std::max<int64_t>(kSampledMacs / g.depth(), 64)});
  const bool all = count == g.outputs();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = all || i == 0 ? i : i == 1 ? g.outputs() - 1 : static_cast<int64_t>(random() % g.outputs());
    const int64_t oc = at % g.oc, pixel = at / g.oc % g.pixels(), n = at / g.oc / g.pixels();
    std::string complaint = fn(n, pixel, oc);
    if (!complaint.empty()) return complaint;
  }
  return {};
}

int64_t outputIndex(const Geometry& g, OutputLayout layout, int64_t n, int64_t pixel, int64_t oc) {
  return n * g.pixels() * g.oc + pixel * layout.pixelStride + oc * layout.channelStride;
}

// Σ_oc factor(oc, scale group of i) · weight(w[oc, i]) for each group of channels: [groups, depth].
template <typename T, typename Factor, typename Weight>
std::vector<T> combinedFilters(const Problem& p, Factor&& factor, Weight&& weight) {
  const Geometry& g = p.shape();
  const int64_t block = p.job.blockSize > 0 ? p.job.blockSize : g.depth();
  std::vector<T> filters(static_cast<size_t>(g.groups * g.depth()));
  for (int64_t oc = 0; oc < g.oc; ++oc) {
    T* filter = filters.data() + oc / g.outputsPerGroup() * g.depth();
    const int8_t* w = p.w.data() + oc * g.depth();
    for (int64_t begin = 0; begin < g.depth(); begin += block) {
      const T f = factor(oc, begin / block);
      for (int64_t i = begin; i < std::min(begin + block, g.depth()); ++i) filter[i] += f * weight(w[i]);
    }
  }
  return filters;
}

// All elements at once.
std::string checkProjections(const Problem& p, const QuantizedInput& a, const float* y, OutputLayout layout) {
  const Geometry& g = p.shape();
  std::mt19937_64 random(3);
  std::vector<double> sign(static_cast<size_t>(g.oc));
  for (double& s : sign) s = (random() & 1) != 0 ? 1.0 : -1.0;
  const auto scale = [&](int64_t oc, int64_t block) { return p.wScales[static_cast<size_t>(block * g.oc + oc)]; };
  const auto filters = combinedFilters<double>(
      p, [&](int64_t oc, int64_t block) { return sign[static_cast<size_t>(oc)] * scale(oc, block); },
      [](int8_t w) { return static_cast<double>(w); });
  // With one scale a channel, errors are relative to the output itself; with several, to the terms it is summed from,
  // which can be larger: at most this filter over the activations' absolute values.
  const auto bounds = combinedFilters<double>(p, scale, [](int8_t w) { return std::abs(static_cast<double>(w)); });
  const double tolerance = (kRoundings + static_cast<double>(p.scaleGroups)) * kRounding;
  const double fp64Error = static_cast<double>(g.depth() + g.outputsPerGroup()) * 0x1p-52;
  for (int64_t n = 0; n < g.n; ++n) {
    const int32_t zeroPoint = a.zeroPoint[static_cast<size_t>(n)];
    const double sampleScale = a.scale[static_cast<size_t>(n)];
    for (int64_t pixel = 0; pixel < g.pixels(); ++pixel) {
      for (int64_t group = 0; group < g.groups; ++group) {
        double expected = 0, terms = 0;
        forEachTap(g, n, pixel, group, [&](int64_t input, int64_t weight, int64_t count) {
          const int64_t at = group * g.depth() + weight;
          for (int64_t i = 0; i < count; ++i) {
            const double activation = a.codes[static_cast<size_t>(input + i)] - zeroPoint;
            expected += activation * filters[static_cast<size_t>(at + i)];
            terms += std::abs(activation) * bounds[static_cast<size_t>(at + i)];
          }
        });
        expected *= sampleScale;
        terms *= sampleScale;
        double received = 0, magnitude = 0;
        for (int64_t oc = group * g.outputsPerGroup(); oc < (group + 1) * g.outputsPerGroup(); ++oc) {
          const double value = y[outputIndex(g, layout, n, pixel, oc)];
          received += sign[static_cast<size_t>(oc)] * value;
          magnitude += std::abs(value);
        }
        const double bound = tolerance * (p.scaleGroups > 1 ? terms : magnitude) + fp64Error * terms;
        if (!(std::abs(received - expected) <= bound)) {
          return mismatch("signed channel sum", n, pixel, group * g.outputsPerGroup(), expected, received, bound);
        }
      }
    }
  }
  return {};
}

}  // namespace

std::string checkAccumulators(const Problem& p, const int32_t* acc, OutputLayout layout) {
  const Geometry& g = p.shape();
  std::mt19937_64 random(2);
  std::vector<uint64_t> factor(static_cast<size_t>(g.oc));
  for (uint64_t& f : factor) f = random();
  const auto filters = combinedFilters<uint64_t>(
      p, [&](int64_t oc, int64_t) { return factor[static_cast<size_t>(oc)]; },
      [](int8_t w) { return static_cast<uint64_t>(int64_t{w}); });
  for (int64_t n = 0; n < g.n; ++n) {
    for (int64_t pixel = 0; pixel < g.pixels(); ++pixel) {
      for (int64_t group = 0; group < g.groups; ++group) {
        uint64_t expected = 0, received = 0;
        forEachTap(g, n, pixel, group, [&](int64_t input, int64_t weight, int64_t count) {
          const uint64_t* filter = filters.data() + group * g.depth() + weight;
          const uint8_t* a = p.perSample.codes.data() + input;
          for (int64_t i = 0; i < count; ++i) expected += a[i] * filter[i];
        });
        for (int64_t oc = group * g.outputsPerGroup(); oc < (group + 1) * g.outputsPerGroup(); ++oc) {
          received += factor[static_cast<size_t>(oc)] *
                      static_cast<uint64_t>(int64_t{acc[outputIndex(g, layout, n, pixel, oc)]});
        }
        if (expected == received) continue;
        for (int64_t oc = group * g.outputsPerGroup(); oc < (group + 1) * g.outputsPerGroup(); ++oc) {
          int64_t exact = 0;
          const int8_t* w = p.w.data() + oc * g.depth();
          forEachTap(g, n, pixel, group, [&](int64_t input, int64_t weight, int64_t count) {
            for (int64_t i = 0; i < count; ++i) {
              exact += int64_t{p.perSample.codes[static_cast<size_t>(input + i)]} * w[weight + i];
            }
          });
          const int32_t got = acc[outputIndex(g, layout, n, pixel, oc)];
          if (exact != got) {
            return mismatch("accumulator", n, pixel, oc, static_cast<double>(exact), got, 0);
          }
        }
      }
    }
  }
  return {};
}

std::string checkFloats(const Problem& p, const QuantizedInput& a, const float* y, OutputLayout layout) {
  const Geometry& g = p.shape();
  std::string complaint = checkProjections(p, a, y, layout);
  if (!complaint.empty()) return complaint;
  const double tolerance = (kRoundings + static_cast<double>(p.scaleGroups)) * kRounding;
  return forSampledElements(g, [&](int64_t n, int64_t pixel, int64_t oc) -> std::string {
    const Element expected = exactElement(p, a, n, pixel, oc);
    const double received = y[outputIndex(g, layout, n, pixel, oc)];
    const double bound = tolerance * expected.magnitude;
    if (std::abs(received - expected.value) <= bound) return {};
    return mismatch("output", n, pixel, oc, expected.value, received, bound);
  });
}

std::string checkBlockQuantized(const Problem& p, const float* y, int64_t activationBlock) {
  const Geometry& g = p.shape();
  // Symmetric 8-bit codes round each activation by at most half a step (absMax / 127) of its block, evenly spread:
  // variance step² / 12. Over thousands of elements the measured variance may exceed the sum of those by sampling
  // noise only; a factor of 2 is far outside it, and dropping or misplacing one product in a hundred is caught.
  constexpr double kVarianceSlack = 2.0;
  constexpr double kHalfStepSlack = 1.001;  // fp32 rounding of the step and the quotient
  double squaredErrors = 0, variances = 0;
  std::string complaint = forSampledElements(g, [&](int64_t n, int64_t, int64_t oc) -> std::string {
    const float* x = p.x.data() + n * g.c;
    const int8_t* w = p.w.data() + oc * g.depth();
    double expected = 0, magnitude = 0, worst = 0, variance = 0;
    for (int64_t begin = 0; begin < g.c; begin += activationBlock) {
      const int64_t end = std::min(begin + activationBlock, g.c);
      double absMax = 0, weightL1 = 0, weightL2 = 0;
      for (int64_t k = begin; k < end; ++k) {
        const double scale = p.wScales[static_cast<size_t>((p.job.blockSize ? k / p.job.blockSize : 0) * g.oc + oc)];
        const double weight = w[k] * scale;
        absMax = std::max(absMax, std::abs(static_cast<double>(x[k])));
        weightL1 += std::abs(weight);
        weightL2 += weight * weight;
        expected += x[k] * weight;
        magnitude += std::abs(x[k] * weight);
      }
      const double step = absMax / 127;
      worst += step / 2 * kHalfStepSlack * weightL1;
      variance += step * step / 12 * weightL2;
    }
    const double received = y[n * g.oc + oc];
    const double bound = worst + (kRoundings + static_cast<double>(p.scaleGroups)) * kRounding * magnitude;
    squaredErrors += (received - expected) * (received - expected);
    variances += variance;
    if (std::abs(received - expected) <= bound) return {};
    return mismatch("output", n, 0, oc, expected, received, bound);
  });
  if (complaint.empty() && !(squaredErrors <= kVarianceSlack * variances)) {
    char text[128];
    std::snprintf(text, sizeof text, "output: expected rms rounding noise %.3g × at most √2, received %.3g ×", 1.0,
                  std::sqrt(squaredErrors / variances));
    return text;
  }
  return complaint;
}

std::string checkRequantized(const Problem& p, const QuantizedInput& a, const uint8_t* y, float yScale,
                             int32_t yZeroPoint, OutputLayout layout) {
  const Geometry& g = p.shape();
  return forSampledElements(g, [&](int64_t n, int64_t pixel, int64_t oc) -> std::string {
    const Element exact = exactElement(p, a, n, pixel, oc);
    const double expected = std::clamp(exact.value / yScale + yZeroPoint, 0.0, 255.0);
    const double received = y[outputIndex(g, layout, n, pixel, oc)];
    // Rounding to a code moves it by half a step; the fp32 multiplier before it by a few roundings more.
    const double bound = 0.5 + kRoundings * kRounding * exact.magnitude / yScale;
    if (std::abs(received - expected) <= bound) return {};
    return mismatch("code", n, pixel, oc, expected, received, bound);
  });
}

}  // namespace faultline::bench
