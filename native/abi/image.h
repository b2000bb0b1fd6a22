// Codes of corruptions and of attacks on ranges, and the sizes of images that they take. See abi/README.md.
#pragma once

#include <cstdint>

namespace faultline::image {

// Sides that every corruption has a meaning for.
inline constexpr int64_t kLeastSide = 8;
inline constexpr int64_t kMostSide = 4096;

// Named as in ImageNet-C. A corruption's code is part of its random stream: codes never change.
enum class CorruptionKind : int32_t {
  gaussian_noise,
  shot_noise,
  impulse_noise,
  defocus_blur,
  glass_blur,
  motion_blur,
  zoom_blur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elastic_transform,
  pixelate,
  jpeg_compression,
  speckle_noise,
  gaussian_blur,
  spatter,
  saturate,
  rotation,
  translation,
  scaling,
  shear,
  linear,
  occlusion,
  last = occlusion
};

// Values for dynamic ranges to stumble over, in normalized inputs: see image/corrupt_range.cpp.
enum class RangeAttack : int32_t {
  bright_pixel,
  bright_row,
  saturated_patch,
  outlier_channel,
  intensity_scale,
  last = intensity_scale
};

// What happens to one image of a batch: [count, 5] of these.
enum class PlacementField : int32_t { mirrored, shiftY, shiftX, holeY, holeX, count };

}  // namespace faultline::image
