// Corruptions of each value separately: gaussian_noise, shot_noise, impulse_noise, speckle_noise.
#include <array>
#include <cmath>
#include <vector>

#include "float/vectorize.h"
#include "image/corruption.h"

namespace faultline::image {
namespace {

constexpr uint32_t kNoise = 0;  // the one purpose of these streams

// x + n · (a + b · x)
FAULTLINE_VECTORIZED void addNoise(int64_t count, float a, float b, const uint8_t* __restrict in,
                                   const float* __restrict noise, uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    const float x = static_cast<float>(in[i]) * kByte;
    out[i] = toByte(x + noise[i] * (a + b * x));
  }
}

class NormalNoise : public Corruption {
 public:
  NormalNoise(Size size, float constant, float proportional)
      : Corruption(size), constant_(constant), proportional_(proportional) {}
  int64_t scratch() const override { return wholeBlocks(size_.values()); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    stream.normals(kNoise, size_.values(), scratch);
    addNoise(size_.values(), constant_, proportional_, in, scratch, out);
  }

 private:
  const float constant_, proportional_;
};

// Poisson numbers by inversion of the distribution function. A byte has 256 values, so there are 256 distributions.
class ShotNoise : public Corruption {
 public:
  ShotNoise(Size size, double photons) : Corruption(size) {
    for (int value = 0; value < 256; ++value) addDistribution(value, value * photons / 255);
    for (size_t k = 0; k < longest_; ++k)
      bytes_.push_back(toByte(static_cast<float>(static_cast<double>(k) / photons)));
  }
  int64_t scratch() const override { return wholeBlocks(size_.values()); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    auto* words = reinterpret_cast<uint32_t*>(scratch);
    stream.words(kNoise, size_.values(), words);
    for (int64_t i = 0; i < size_.values(); ++i) {
      const Distribution& d = distributions_[in[i]];
      const uint64_t* upTo = upTo_.data() + d.start;
      uint32_t k = d.guide[words[i] >> 24];
      while (upTo[k] <= words[i]) ++k;  // ends: the last is 2^32
      out[i] = bytes_[k + d.first];
    }
  }

 private:
  struct Distribution {
    size_t start;    // in upTo_
    uint32_t first;  // the number that upTo_[start] is for
    // Where to begin looking, by the first eight bits of the random word.
    std::array<uint32_t, 256> guide;
  };

  // Probabilities from the most likely number outwards, by ratios; only the four operations, so the same everywhere.
  void addDistribution(int value, double mean) {
    constexpr double kNegligible = 0x1p-40;  // of the largest: less than a random word can show
    const auto mode = static_cast<uint32_t>(mean);
    std::vector<double> below, above{1.0};
    for (double k = mode, p = 1; k > 0 && p > kNegligible; --k) below.push_back(p *= k / mean);
    for (double k = mode + 1.0, p = 1; p > kNegligible; ++k) above.push_back(p *= mean / k);
    std::vector<double> all(below.rbegin(), below.rend());
    all.insert(all.end(), above.begin(), above.end());
    double sum = 0;
    for (const double p : all) sum += p;
    Distribution& d = distributions_[static_cast<size_t>(value)];
    d.start = upTo_.size();
    d.first = mode - static_cast<uint32_t>(below.size());
    double running = 0;
    for (const double p : all) upTo_.push_back(static_cast<uint64_t>((running += p) / sum * 4294967296.0));
    upTo_.back() = uint64_t{1} << 32;
    uint32_t k = 0;
    for (uint64_t i = 0; i < 256; ++i) {
      while (upTo_[d.start + k] <= i << 24) ++k;
      d.guide[i] = k;
    }
    longest_ = std::max(longest_, d.first + all.size());
  }

  std::array<Distribution, 256> distributions_;
  std::vector<uint64_t> upTo_;  // 2^32 times the chance of at most this number
  std::vector<uint8_t> bytes_;
  size_t longest_ = 0;
};

FAULTLINE_VECTORIZED void impulses(int64_t count, float amount, const uint8_t* __restrict in,
                                   const float* __restrict uniform, uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t salted = uniform[i] < .5f * amount ? 255 : 0;
    out[i] = uniform[i] < amount ? salted : in[i];
  }
}

// Salt and pepper in equal shares, of each value separately (of a pixel's channels, one may change alone).
class ImpulseNoise : public Corruption {
 public:
  ImpulseNoise(Size size, float amount) : Corruption(size), amount_(amount) {}
  int64_t scratch() const override { return wholeBlocks(size_.values()); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    stream.uniforms(kNoise, size_.values(), scratch);
    impulses(size_.values(), amount_, in, scratch, out);
  }

 private:
  const float amount_;
};

FAULTLINE_VECTORIZED void allToFloats(int64_t count, const uint8_t* __restrict in, float* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) * kByte;
}

FAULTLINE_VECTORIZED void allToBytes(int64_t count, const float* __restrict in, uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = toByte(in[i]);
}

}  // namespace

void toFloats(int64_t count, const uint8_t* in, float* out) { allToFloats(count, in, out); }
void toBytes(int64_t count, const float* in, uint8_t* out) { allToBytes(count, in, out); }

std::unique_ptr<Corruption> makeGaussianNoise(Size size, Constants c) {
  return std::make_unique<NormalNoise>(size, static_cast<float>(c[0]), 0.f);
}
std::unique_ptr<Corruption> makeSpeckleNoise(Size size, Constants c) {
  return std::make_unique<NormalNoise>(size, 0.f, static_cast<float>(c[0]));
}
std::unique_ptr<Corruption> makeShotNoise(Size size, Constants c) { return std::make_unique<ShotNoise>(size, c[0]); }
std::unique_ptr<Corruption> makeImpulseNoise(Size size, Constants c) {
  return std::make_unique<ImpulseNoise>(size, static_cast<float>(c[0]));
}

}  // namespace faultline::image
