// Many images corrupted: the list of corruptions by number, the limits of their constants, threads.
#pragma once

#include <cstdint>

#include "abi/image.h"
#include "core/status.h"
#include "image/filters.h"

namespace faultline::image {

struct CorruptArgs {
  CorruptionKind kind;
  const double* constants;  // [count]
  int64_t count;
  int64_t images;
  Size size;      // c is 1 or 3
  uint64_t seed;  // with an image's bytes, decides its random numbers
  const uint8_t* x;
  uint8_t* y;
};

// x, y: [images, h, w, c], different memory. Each image depends on itself and the seed only.
Status corrupt(const CorruptArgs& args);

struct RangeArgs {
  RangeAttack attack;
  const float* level;  // [c]: what bright values become
  float factor;        // scaled values become factor · x + shift[c]
  const float* shift;  // [c]
  int64_t images;
  Size size;
  uint64_t seed;
  const float* x;
  float* y;
};

// x, y: [images, h, w, c], different memory.
void attackRange(const RangeArgs& args);

}  // namespace faultline::image
