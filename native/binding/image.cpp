// Corruptions of images and attacks on ranges; see native/image.
#include <cmath>

#include "binding/args.h"
#include "binding/float_operations.h"
#include "image/corrupt.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMostImages = int64_t{1} << 31;
constexpr int64_t kMostSeed = (int64_t{1} << 53) - 1;
constexpr int64_t kMostChannels = 64;

image::Size sizeAt(const Args& args, size_t first) {
  return {args.integer(first, "height", 1, image::kMostSide), args.integer(first + 1, "width", 1, image::kMostSide),
          args.integer(first + 2, "channels", 1, kMostChannels)};
}

// (kind, constants: Float64Array, images, height, width, channels, seed, x: Uint8Array, y: Uint8Array)
Napi::Value corruptBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kKind, kConstants, kImages, kHeight, kWidth, kChannels, kSeed, kX, kY };
  const Args args(info, "corrupt");
  image::CorruptArgs a{};
  a.kind = static_cast<image::CorruptionKind>(
      args.integer(kKind, "kind", 0, static_cast<int64_t>(image::CorruptionKind::last)));
  const auto constants = args.array<const double>(kConstants, "constants", 0);
  a.constants = constants.data;
  a.count = static_cast<int64_t>(constants.length);
  a.images = args.integer(kImages, "images", 0, kMostImages);
  a.size = sizeAt(args, kHeight);
  a.seed = static_cast<uint64_t>(args.integer(kSeed, "seed", 0, kMostSeed));
  const auto length = args.elements("x", {a.images, a.size.h, a.size.w, a.size.c});
  a.x = args.array<const uint8_t>(kX, "x", length).data;
  a.y = args.array<uint8_t>(kY, "y", length).data;
  throwIfRefused(args.env(), image::corrupt(a));
  return args.env().Undefined();
}

// (attack, level, factor, shift, images, height, width, channels, seed, x: Float32Array, y: Float32Array)
Napi::Value attackRangeBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kAttack, kLevel, kFactor, kShift, kImages, kHeight, kWidth, kChannels, kSeed, kX, kY };
  const Args args(info, "attackRange");
  image::RangeArgs a{};
  a.attack = static_cast<image::RangeAttack>(
      args.integer(kAttack, "attack", 0, static_cast<int64_t>(image::RangeAttack::last)));
  a.images = args.integer(kImages, "images", 0, kMostImages);
  a.size = sizeAt(args, kHeight);
  const auto channels = static_cast<size_t>(a.size.c);
  a.level = args.array<const float>(kLevel, "level", channels).data;
  a.factor = static_cast<float>(args.number(kFactor, "factor"));
  a.shift = args.array<const float>(kShift, "shift", channels).data;
  a.seed = static_cast<uint64_t>(args.integer(kSeed, "seed", 0, kMostSeed));
  const auto length = args.elements("x", {a.images, a.size.h, a.size.w, a.size.c});
  a.x = args.array<const float>(kX, "x", length).data;
  a.y = args.array<float>(kY, "y", length).data;
  image::attackRange(a);
  return args.env().Undefined();
}

}  // namespace

void defineImage(Napi::Object exports) {
  addFunction<corruptBinding>(exports, "corrupt");
  addFunction<attackRangeBinding>(exports, "attackRange");
}

}  // namespace faultline::binding
