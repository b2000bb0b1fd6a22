#include "image/corrupt.h"

#include <cmath>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "image/corruption.h"
#include "image/transformations.h"

namespace faultline::image {
namespace {

struct Limits {
  double least, most;
};

struct Entry {
  const char* name;
  std::unique_ptr<Corruption> (*make)(Size size, Constants c);
  std::vector<Limits> constants;
};

template <Movement movement>
std::unique_ptr<Corruption> moved(Size size, Constants c) {
  return makeMovement(size, movement, c[0]);
}

constexpr Limits kShare{0, 1}, kSigma{.01, 256}, kRadius{0, 64}, kZoom{1, 64}, kFactor{0, 256}, kAny{-64, 64};

// Numbered by place; lib/data/corruption_list.ts has the same order.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {"gaussian_noise", makeGaussianNoise, {kFactor}},
      {"shot_noise", makeShotNoise, {{.01, 4096}}},
      {"impulse_noise", makeImpulseNoise, {kShare}},
      {"defocus_blur", makeDefocusBlur, {kRadius, kSigma}},
      {"glass_blur", makeGlassBlur, {kSigma, {1, 64}, {1, 64}}},
      {"motion_blur", makeMotionBlur, {kRadius, kSigma}},
      {"zoom_blur", makeZoomBlur, {{1.001, 64}, {.001, 1}}},
      {"snow", makeSnow, {kAny, kFactor, kZoom, kAny, kRadius, kSigma, kShare}},
      {"frost", makeFrost, {kFactor, kFactor, {.1, 64}}},
      {"fog", makeFog, {kFactor, {1, 64}}},
      {"brightness", makeBrightness, {kAny}},
      {"contrast", makeContrast, {kFactor}},
      {"elastic_transform", makeElasticTransform, {kFactor, {0, 2}, kShare}},
      {"pixelate", makePixelate, {{.001, 1}}},
      {"jpeg_compression", makeJpegCompression, {{1, 100}}},
      {"speckle_noise", makeSpeckleNoise, {kFactor}},
      {"gaussian_blur", makeGaussianBlur, {kSigma}},
      {"spatter", makeSpatter, {kAny, kFactor, kSigma, kAny, kSigma, kShare}},
      {"saturate", makeSaturate, {kFactor, kAny}},
      {"rotation", moved<Movement::rotation>, {{0, 180}}},
      {"translation", moved<Movement::translation>, {kShare}},
      {"scaling", moved<Movement::scaling>, {kFactor}},
      {"shear", moved<Movement::shear>, {kFactor}},
      {"linear", makeLinear, {kAny, kAny, kAny, kAny}},
      {"occlusion", makeOcclusion, {kShare}},
  };
  return all;
}

Status check(const CorruptArgs& args) {
  if (args.kind < 0 || args.kind >= static_cast<int>(entries().size())) {
    return Status::invalid("corrupt", "kind", "0 to " + std::to_string(entries().size() - 1),
                           std::to_string(args.kind));
  }
  const Entry& entry = entries()[static_cast<size_t>(args.kind)];
  if (args.count != static_cast<int64_t>(entry.constants.size())) {
    return Status::invalid(entry.name, "constants", std::to_string(entry.constants.size()), std::to_string(args.count));
  }
  for (size_t i = 0; i < entry.constants.size(); ++i) {
    const auto [least, most] = entry.constants[i];
    const double value = args.constants[i];
    if (!(value >= least && value <= most)) {
      return Status::invalid(entry.name, "constant " + std::to_string(i),
                             std::to_string(least) + " to " + std::to_string(most), std::to_string(value));
    }
  }
  const auto [h, w, c] = args.size;
  if (std::min(h, w) < kLeastSide || std::max(h, w) > kMostSide || (c != 1 && c != 3)) {
    return Status::invalid(
        "corrupt", "size",
        "sides from " + std::to_string(kLeastSide) + " to " + std::to_string(kMostSide) + " and 1 or 3 channels",
        std::to_string(h) + "×" + std::to_string(w) + "×" + std::to_string(c));
  }
  return Status::ok();
}

// Values a thread must have to do for its start to be worth it.
constexpr int64_t kWorth = 16384;

}  // namespace

Status corrupt(const CorruptArgs& args) {
  if (Status status = check(args); !status) return status;
  const auto corruption = entries()[static_cast<size_t>(args.kind)].make(args.size, args.constants);
  const int64_t values = args.size.values();
  const int64_t worth = std::max<int64_t>(1, args.images * values / kWorth);
  const int count = static_cast<int>(std::min<int64_t>({threads(), args.images, worth}));
  const int64_t scratch = corruption->scratch() + kRandomBlock;
  std::vector<float> working(static_cast<size_t>(scratch * count));
  parallel(count, [&](int thread, int threadCount) {
    float* own = working.data() + thread * scratch;
    for (int64_t i = args.images * thread / threadCount; i < args.images * (thread + 1) / threadCount; ++i) {
      const uint8_t* image = args.x + i * values;
      const Stream stream = streamOf(args.seed, static_cast<uint32_t>(args.kind), image, values);
      corruption->apply(image, args.y + i * values, stream, own);
    }
  });
  return Status::ok();
}

}  // namespace faultline::image
