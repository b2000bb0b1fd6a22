#include "image/random.h"

#include <cmath>
#include <cstring>

#include "float/vectorize.h"
#include "image/numeric.h"

namespace faultline::image {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;  // Salmon et al., table 2
constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;
constexpr int kLanes = 16;

// Sixteen counters at once: words[4][16].
inline __attribute__((always_inline)) void rounds(uint32_t key0, uint32_t key1, uint32_t words[4][kLanes]) {
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kLanes; ++i) {
      const uint64_t a = static_cast<uint64_t>(kMultiplier0) * words[0][i];
      const uint64_t b = static_cast<uint64_t>(kMultiplier1) * words[2][i];
      const uint32_t w0 = static_cast<uint32_t>(b >> 32) ^ words[1][i] ^ key0;
      const uint32_t w2 = static_cast<uint32_t>(a >> 32) ^ words[3][i] ^ key1;
      words[0][i] = w0;
      words[1][i] = static_cast<uint32_t>(b);
      words[2][i] = w2;
      words[3][i] = static_cast<uint32_t>(a);
    }
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
}

inline __attribute__((always_inline)) void block(const Stream& s, uint32_t purpose, int64_t number,
                                                 uint32_t words[4][kLanes]) {
  for (int i = 0; i < kLanes; ++i) {
    words[0][i] = static_cast<uint32_t>(number) * kLanes + static_cast<uint32_t>(i);
    words[1][i] = static_cast<uint32_t>(static_cast<uint64_t>(number) >> 28);
    words[2][i] = purpose;
    words[3][i] = s.corruption;
  }
  rounds(s.key[0], s.key[1], words);
}

// The middle of one of 2^32 equal parts of (0, 1); the topmost ones round to 1 − 2^-24 or to 1.
inline __attribute__((always_inline)) float unit(uint32_t word) {
  return (static_cast<float>(word >> 8) + .5f) * (1.f / 16777216.f);
}

FAULTLINE_VECTORIZED void fillWords(const Stream& s, uint32_t purpose, int64_t blocks, uint32_t* out) {
  for (int64_t b = 0; b < blocks; ++b) {
    uint32_t words[4][kLanes];
    block(s, purpose, b, words);
    std::memcpy(out + b * kRandomBlock, words, sizeof words);
  }
}

FAULTLINE_VECTORIZED void fillUniforms(const Stream& s, uint32_t purpose, int64_t blocks, float* out) {
  for (int64_t b = 0; b < blocks; ++b) {
    uint32_t words[4][kLanes];
    block(s, purpose, b, words);
    float* to = out + b * kRandomBlock;
    for (int w = 0; w < 4; ++w) {
      for (int i = 0; i < kLanes; ++i) to[w * kLanes + i] = unit(words[w][i]);
    }
  }
}

FAULTLINE_VECTORIZED void fillNormals(const Stream& s, uint32_t purpose, int64_t blocks, float* out) {
  for (int64_t b = 0; b < blocks; ++b) {
    uint32_t words[4][kLanes];
    block(s, purpose, b, words);
    float* to = out + b * kRandomBlock;
    for (int w = 0; w < 4; w += 2) {
      for (int i = 0; i < kLanes; ++i) {
        // The low bits of the word whose high bits unit() takes stretch the tail: 2^-33 at least, radius 6.8 at most.
        const float u = (static_cast<float>(words[w][i]) + .5f) * (1.f / 4294967296.f);
        const float radius = __builtin_sqrtf(-2.f * logarithm(u));
        const SineCosine angle = sineCosine(words[w + 1][i]);
        to[w * kLanes + i] = radius * angle.cosine;
        to[(w + 1) * kLanes + i] = radius * angle.sine;
      }
    }
  }
}

uint64_t mix(uint64_t h) {  // the finalizer of SplitMix64 (Steele, Lea & Flood, 2014)
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
  return h ^ (h >> 31);
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 2> key, std::array<uint32_t, 4> counter) {
  uint32_t words[4][kLanes] = {};
  for (int w = 0; w < 4; ++w) words[w][0] = counter[static_cast<size_t>(w)];
  rounds(key[0], key[1], words);
  return {words[0][0], words[1][0], words[2][0], words[3][0]};
}

void Stream::words(uint32_t purpose, int64_t count, uint32_t* out) const {
  fillWords(*this, purpose, wholeBlocks(count) / kRandomBlock, out);
}

void Stream::uniforms(uint32_t purpose, int64_t count, float* out) const {
  fillUniforms(*this, purpose, wholeBlocks(count) / kRandomBlock, out);
}

void Stream::normals(uint32_t purpose, int64_t count, float* out) const {
  fillNormals(*this, purpose, wholeBlocks(count) / kRandomBlock, out);
}

double Stream::uniform(uint32_t purpose, uint32_t index, double low, double high) const {
  const auto words = philox({key[0], key[1]}, {index, 0, purpose, corruption});
  return low + (high - low) * (words[0] / 4294967296.0);
}

int64_t Stream::integer(uint32_t purpose, uint32_t index, int64_t bound) const {
  const auto words = philox({key[0], key[1]}, {index, 0, purpose, corruption});
  return static_cast<int64_t>((static_cast<uint64_t>(words[0]) * static_cast<uint64_t>(bound)) >> 32);
}

Stream streamOf(uint64_t seed, uint32_t corruption, const void* bytes, int64_t count) {
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;
  const auto* at = static_cast<const uint8_t*>(bytes);
  uint64_t h = mix(seed + kGolden) ^ static_cast<uint64_t>(count);
  for (; count > 0; at += 8, count -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, static_cast<size_t>(count < 8 ? count : 8));
    h = (h ^ word) * kGolden;
    h ^= h >> 32;
  }
  h = mix(h);
  return {{static_cast<uint32_t>(h), static_cast<uint32_t>(h >> 32)}, corruption};
}

}  // namespace faultline::image
