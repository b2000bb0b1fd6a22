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
  const Args args(info, "corrupt");
  image::CorruptArgs a{};
  a.kind = static_cast<int>(args.integer(0, "kind", 0, 1000));
  const auto constants = args.array<const double>(1, "constants", 0);
  a.constants = constants.data;
  a.count = static_cast<int64_t>(constants.length);
  a.images = args.integer(2, "images", 0, kMostImages);
  a.size = sizeAt(args, 3);
  a.seed = static_cast<uint64_t>(args.integer(6, "seed", 0, kMostSeed));
  const auto length = static_cast<size_t>(a.images * a.size.values());
  a.x = args.array<const uint8_t>(7, "x", length).data;
  a.y = args.array<uint8_t>(8, "y", length).data;
  throwIfRefused(args.env(), image::corrupt(a));
  return args.env().Undefined();
}

// (attack, level, factor, shift, images, height, width, channels, seed, x: Float32Array, y: Float32Array)
Napi::Value attackRangeBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "attackRange");
  image::RangeArgs a{};
  a.attack = static_cast<image::RangeAttack>(args.integer(0, "attack", 0, 4));
  a.images = args.integer(4, "images", 0, kMostImages);
  a.size = sizeAt(args, 5);
  const auto channels = static_cast<size_t>(a.size.c);
  a.level = args.array<const float>(1, "level", channels).data;
  a.factor = static_cast<float>(args.number(2, "factor"));
  a.shift = args.array<const float>(3, "shift", channels).data;
  a.seed = static_cast<uint64_t>(args.integer(8, "seed", 0, kMostSeed));
  const auto length = static_cast<size_t>(a.images * a.size.values());
  a.x = args.array<const float>(9, "x", length).data;
  a.y = args.array<float>(10, "y", length).data;
  image::attackRange(a);
  return args.env().Undefined();
}

}  // namespace

void defineImage(Napi::Object exports) {
  addFunction<corruptBinding>(exports, "corrupt");
  addFunction<attackRangeBinding>(exports, "attackRange");
}

}  // namespace faultline::binding
