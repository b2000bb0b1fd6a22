// Operands of a benchmark problem: seeded, and quantized by a plain transcription of ONNX DynamicQuantizeLinear that
// shares no code with the kernels it will judge.
#include "problem.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace faultline::bench {
namespace {

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15u;

// splitmix64
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Nearly normal: the sum of four uniform 16-bit numbers, centred, with variance 1.
  float normal() {
    const uint64_t z = next();
    const int64_t sum = static_cast<int64_t>((z & 0xFFFF) + ((z >> 16) & 0xFFFF) + ((z >> 32) & 0xFFFF) + (z >> 48));
    return static_cast<float>(sum - 2 * 0xFFFF) * (1.0f / 37837.0f);  // 65536 · √(4 / 12)
  }

 private:
  uint64_t state_;
};

void quantizeRange(const float* x, int64_t n, uint8_t* codes, float* scale, int32_t* zeroPoint) {
  float lo = 0.0f, hi = 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    lo = std::min(lo, x[i]);
    hi = std::max(hi, x[i]);
  }
  *scale = hi > lo ? (hi - lo) / 255.0f : 1.0f;
  *zeroPoint = static_cast<int32_t>(std::nearbyint(std::clamp(-lo / *scale, 0.0f, 255.0f)));
  for (int64_t i = 0; i < n; ++i) {
    const int32_t q = static_cast<int32_t>(std::nearbyint(x[i] / *scale)) + *zeroPoint;
    codes[i] = static_cast<uint8_t>(std::clamp(q, 0, 255));
  }
}

QuantizedInput quantize(const Geometry& g, const float* x, Granularity granularity) {
  QuantizedInput a{AlignedBuffer<uint8_t>(static_cast<size_t>(g.inputs())),
                   std::vector<float>(static_cast<size_t>(g.n)), std::vector<int32_t>(static_cast<size_t>(g.n))};
  if (granularity == Granularity::perTensor) {
    quantizeRange(x, g.inputs(), a.codes.data(), a.scale.data(), a.zeroPoint.data());
    std::fill(a.scale.begin(), a.scale.end(), a.scale[0]);
    std::fill(a.zeroPoint.begin(), a.zeroPoint.end(), a.zeroPoint[0]);
    return a;
  }
  for (int64_t i = 0; i < g.n; ++i) {
    const int64_t at = i * g.sampleSize();
    const size_t s = static_cast<size_t>(i);
    quantizeRange(x + at, g.sampleSize(), a.codes.data() + at, &a.scale[s], &a.zeroPoint[s]);
  }
  return a;
}

}  // namespace

bool opFromName(const std::string& name, Op* op) {
  constexpr std::pair<const char*, Op> kNames[] = {
      {"matmul.s32", Op::matmulS32}, {"matmul.dynamic", Op::matmulDynamic}, {"matmul.int4", Op::matmulInt4},
      {"conv.s32", Op::convS32},     {"conv.dynamic", Op::convDynamic},     {"conv.int4", Op::convInt4}};
  for (const auto& [text, value] : kNames) {
    if (name == text) {
      *op = value;
      return true;
    }
  }
  return false;
}

Problem makeProblem(const Job& job) {
  const Geometry& g = job.shape;
  Problem p;
  p.job = job;
  p.weightBits = isInt4(job.op) ? 4 : 8;
  p.scaleGroups = job.blockSize > 0 ? ceilDiv(g.depth(), job.blockSize) : 1;
  p.x = AlignedBuffer<float>(static_cast<size_t>(g.inputs()));
  p.w = AlignedBuffer<int8_t>(static_cast<size_t>(g.oc * g.depth()));
  p.wScales.resize(static_cast<size_t>(p.scaleGroups * g.oc));

  Random random(kSeed);
  if (!isS32(job.op)) {
    for (size_t i = 0; i < p.x.size(); ++i) p.x[i] = random.normal();
  }
  const uint64_t magnitude = job.weightMax > 0 ? static_cast<uint64_t>(job.weightMax) : p.weightBits == 4 ? 7 : 127;
  for (size_t i = 0; i < p.w.size(); ++i) {
    p.w[i] = static_cast<int8_t>(static_cast<int64_t>(random.next() % (2 * magnitude + 1)) -
                                 static_cast<int64_t>(magnitude));
  }
  for (float& s : p.wScales) s = 0.001f + 0.009f * static_cast<float>(random.next() >> 40) * 0x1p-24f;

  if (isS32(job.op)) {
    // Activations that are their own codes: with 0 always in the range and 255 once in each sample, dynamic
    // quantization chooses scale 1 and zero point 0.
    p.perSample.codes = AlignedBuffer<uint8_t>(static_cast<size_t>(g.inputs()));
    for (int64_t i = 0; i < g.inputs(); ++i) {
      const auto code = static_cast<uint8_t>(i % g.sampleSize() == 0 ? 255 : random.next());
      p.perSample.codes[static_cast<size_t>(i)] = code;
      p.x[static_cast<size_t>(i)] = code;
    }
    p.perSample.scale.assign(static_cast<size_t>(g.n), 1.0f);
    p.perSample.zeroPoint.assign(static_cast<size_t>(g.n), 0);
  } else {
    p.perSample = quantize(g, p.x.data(), Granularity::perSample);
    p.perTensor = quantize(g, p.x.data(), Granularity::perTensor);
  }
  return p;
}

OutputLayout nhwc(const Geometry& g) { return {g.oc, 1}; }
OutputLayout nchw(const Geometry& g) { return {1, g.pixels()}; }

}  // namespace faultline::bench
