// Random numbers of an image: any number of any stream is computed from its place alone, so nothing depends on the
// order of images, on how many are corrupted at once, or on threads.
//
// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The key is a
// hash of the seed and of the image's contents; the counter holds the block, the purpose and the corruption.
#pragma once

#include <array>
#include <cstdint>

namespace faultline::image {

std::array<uint32_t, 4> philox(std::array<uint32_t, 2> key, std::array<uint32_t, 4> counter);

// Rounds a count of random numbers up to what the fill functions write.
inline constexpr int64_t kRandomBlock = 64;
inline int64_t wholeBlocks(int64_t count) { return (count + kRandomBlock - 1) / kRandomBlock * kRandomBlock; }

// The numbers of one image for one corruption.
struct Stream {
  uint32_t key[2];
  uint32_t corruption;

  // out: wholeBlocks(count) numbers. Each purpose has a separate sequence with a fixed start.
  void words(uint32_t purpose, int64_t count, uint32_t* out) const;
  // Uniform in (0, 1).
  void uniforms(uint32_t purpose, int64_t count, float* out) const;
  // Normal, mean 0, variance 1, |value| < 6.8 (Box & Muller, 1958).
  void normals(uint32_t purpose, int64_t count, float* out) const;
  // One number uniform in [low, high).
  double uniform(uint32_t purpose, uint32_t index, double low, double high) const;
  // One integer uniform in [0, bound), bound ≥ 1 (multiply and shift: a bias below bound / 2^32).
  int64_t integer(uint32_t purpose, uint32_t index, int64_t bound) const;
};

// The stream of an image with these bytes.
Stream streamOf(uint64_t seed, uint32_t corruption, const void* bytes, int64_t count);

}  // namespace faultline::image
