// Pictures of frost on glass, made up: clouded ice with feathery crystals grown over it.
//
// The published corruption lays photographs over the image, which are not ours to ship. These textures follow their
// brightness, contrast and tint (mean 123, 142, 155 of 255; deviation 30) and have their kind of structure, no more:
// figures under `frost` are not comparable with published ones.
#pragma once

#include <cstdint>

namespace faultline::image {

inline constexpr int64_t kFrostTextures = 5;
inline constexpr int64_t kFrostSide = 512;

// Texture number `i`, [kFrostSide, kFrostSide, 3], 0–1, which continues at its other side. Made at the first call.
const float* frostTexture(int64_t i);

}  // namespace faultline::image
