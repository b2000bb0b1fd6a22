// Batches of network inputs from images in memory: normalised, mirrored, shifted, with a square cut out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/image.h"
#include "image/filters.h"

namespace faultline::image {

// What happens to one image, as PlacementField numbers it; how far the hole reaches is the batch's to say.
struct Placement {
  int32_t mirrored;        // 0 or 1
  int32_t shiftY, shiftX;  // the result's (y, x) shows the image's (y + shiftY, x + shiftX); black outside
  int32_t holeY, holeX;    // upper left corner of the square
};
static_assert(sizeof(Placement) == static_cast<size_t>(PlacementField::count) * sizeof(int32_t));

struct BatchArgs {
  int64_t count;
  Size size;
  const uint8_t* bytes;        // [count, h, w, c], or null:
  const float* floats;         // the same, inputs unchanged
  const float* table;          // [c, 256]: values of bytes
  const Placement* placement;  // [count], or null: images as they are
  int64_t hole;                // side of the square, which becomes 0: the mean
  float* inputs;               // [count, h, w, c]
};

void fillBatch(const BatchArgs& args);

}  // namespace faultline::image
