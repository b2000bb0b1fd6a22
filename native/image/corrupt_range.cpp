// Few values far outside what a network saw: a dynamic range that follows them leaves the others no codes.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "image/corrupt.h"
#include "image/random.h"

namespace faultline::image {
namespace {

// The streams of these attacks follow those of corrupt()'s list.
constexpr uint32_t kFirstStream = 1000;
// A saturated patch is an eighth of the sides.
constexpr int64_t kPatchShare = 8;

struct Rectangle {
  int64_t top, left, height, width;
};

void fill(const RangeArgs& args, const Rectangle& r, float* image) {
  const auto [h, w, c] = args.size;
  for (int64_t i = r.top; i < r.top + r.height; ++i) {
    for (int64_t j = r.left; j < r.left + r.width; ++j) std::copy_n(args.level, c, image + (i * w + j) * c);
  }
}

void scale(const RangeArgs& args, int64_t firstChannel, int64_t channels, float* image) {
  const int64_t c = args.size.c;
  for (int64_t p = 0; p < args.size.values(); p += c) {
    for (int64_t k = firstChannel; k < firstChannel + channels; ++k) {
      image[p + k] = args.factor * image[p + k] + args.shift[k];
    }
  }
}

void attack(const RangeArgs& args, const Stream& stream, float* image) {
  const auto [h, w, c] = args.size;
  const auto place = [&](uint32_t axis, int64_t n) { return stream.integer(0, axis, n); };
  switch (args.attack) {
    case RangeAttack::bright_pixel:
      return fill(args, {place(0, h), place(1, w), 1, 1}, image);
    case RangeAttack::bright_row:
      return fill(args, {place(0, h), 0, 1, w}, image);
    case RangeAttack::saturated_patch: {
      const int64_t height = std::max<int64_t>(1, h / kPatchShare), width = std::max<int64_t>(1, w / kPatchShare);
      return fill(args, {place(0, h - height + 1), place(1, w - width + 1), height, width}, image);
    }
    case RangeAttack::outlier_channel:
      return scale(args, place(0, c), 1, image);
    case RangeAttack::intensity_scale:
      return scale(args, 0, c, image);
  }
}

}  // namespace

void attackRange(const RangeArgs& args) {
  const int64_t values = args.size.values();
  const int count = static_cast<int>(std::min<int64_t>(threads(), args.images));
  parallel(count, [&](int thread, int threadCount) {
    for (int64_t i = args.images * thread / threadCount; i < args.images * (thread + 1) / threadCount; ++i) {
      const float* image = args.x + i * values;
      const auto number = kFirstStream + static_cast<uint32_t>(args.attack);
      std::copy_n(image, values, args.y + i * values);
      attack(args, streamOf(args.seed, number, image, values * static_cast<int64_t>(sizeof(float))),
             args.y + i * values);
    }
  });
}

}  // namespace faultline::image
