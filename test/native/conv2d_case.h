// One dynamic convolution with its operands, its definition in plain loops, and the comparison on every kernel table.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/conv2d.h"
#include "random.h"

namespace faultline::test {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

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
    return windowOutputs(h, shape.kernelH, window.strideH, window.dilationH, window.padTop, window.padBottom);
  }
  int64_t outW() const {
    return windowOutputs(w, shape.kernelW, window.strideW, window.dilationW, window.padLeft, window.padRight);
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

inline std::vector<AffineParams> sampleParams(const Case& t) {
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

inline int64_t codeOf(float x, const AffineParams& p) {
  const float quotient = static_cast<float>(static_cast<double>(x) / static_cast<double>(p.scale));
  return std::clamp(static_cast<int64_t>(std::nearbyint(quotient)) + p.zeroPoint, int64_t{0}, int64_t{p.qmax});
}

// The whole definition, element by element.
inline Result reference(const Case& t) {
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

inline Conv2dDynamicArgs argsOf(const Case& t, const PackedConv& packed) {
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
inline Result compute(const Case& t) {
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

inline void checkEqual(const Result& received, const Result& wanted) {
  REQUIRE(received.scale == wanted.scale);
  REQUIRE(received.zeroPoint == wanted.zeroPoint);
  if (!received.acc.empty()) REQUIRE(received.acc == wanted.acc);
  REQUIRE(received.out == wanted.out);
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

inline std::string text(const Case& t) {
  const Conv2dWindow& v = t.window;
  std::string all;
  for (const int64_t value :
       {t.n, t.h, t.w, t.c(), t.shape.outChannels, t.shape.kernelH, t.shape.kernelW, t.shape.groups, v.strideH,
        v.strideW, v.dilationH, v.dilationW, v.padTop, v.padLeft, v.padBottom, v.padRight, t.blockSize}) {
    all += std::to_string(value) + " ";
  }
  return all;
}

inline void check(const Case& t) {
  CAPTURE(text(t));
  const Result wanted = reference(t);
  everywhere([&] { checkEqual(compute(t), wanted); });
}

// A random epilogue, ranges and bits on top of a geometry.
inline void decorate(Case* t, Random& random) {
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

inline Case randomGeometry(Random& random) {
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

}  // namespace faultline::test
