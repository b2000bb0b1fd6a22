#include "image/corrupt.h"

#include <cassert>
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
  CorruptionKind kind;
  const char* name;
  std::unique_ptr<Corruption> (*make)(Size size, Constants c);
  std::vector<Limits> constants;
};

template <Movement movement>
std::unique_ptr<Corruption> moved(Size size, Constants c) {
  return makeMovement(size, movement, c[0]);
}

constexpr Limits kShare{0, 1}, kSigma{.01, 256}, kRadius{0, 64}, kZoom{1, 64}, kFactor{0, 256}, kAny{-64, 64};

// In the order of their codes.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {
      {CorruptionKind::gaussian_noise, "gaussian_noise", makeGaussianNoise, {kFactor}},
      {CorruptionKind::shot_noise, "shot_noise", makeShotNoise, {{.01, 4096}}},
      {CorruptionKind::impulse_noise, "impulse_noise", makeImpulseNoise, {kShare}},
      {CorruptionKind::defocus_blur, "defocus_blur", makeDefocusBlur, {kRadius, kSigma}},
      {CorruptionKind::glass_blur, "glass_blur", makeGlassBlur, {kSigma, {1, 64}, {1, 64}}},
      {CorruptionKind::motion_blur, "motion_blur", makeMotionBlur, {kRadius, kSigma}},
      {CorruptionKind::zoom_blur, "zoom_blur", makeZoomBlur, {{1.001, 64}, {.001, 1}}},
      {CorruptionKind::snow, "snow", makeSnow, {kAny, kFactor, kZoom, kAny, kRadius, kSigma, kShare}},
      {CorruptionKind::frost, "frost", makeFrost, {kFactor, kFactor, {.1, 64}}},
      {CorruptionKind::fog, "fog", makeFog, {kFactor, {1, 64}}},
      {CorruptionKind::brightness, "brightness", makeBrightness, {kAny}},
      {CorruptionKind::contrast, "contrast", makeContrast, {kFactor}},
      {CorruptionKind::elastic_transform, "elastic_transform", makeElasticTransform, {kFactor, {0, 2}, kShare}},
      {CorruptionKind::pixelate, "pixelate", makePixelate, {{.001, 1}}},
      {CorruptionKind::jpeg_compression, "jpeg_compression", makeJpegCompression, {{1, 100}}},
      {CorruptionKind::speckle_noise, "speckle_noise", makeSpeckleNoise, {kFactor}},
      {CorruptionKind::gaussian_blur, "gaussian_blur", makeGaussianBlur, {kSigma}},
      {CorruptionKind::spatter, "spatter", makeSpatter, {kAny, kFactor, kSigma, kAny, kSigma, kShare}},
      {CorruptionKind::saturate, "saturate", makeSaturate, {kFactor, kAny}},
      {CorruptionKind::rotation, "rotation", moved<Movement::rotation>, {{0, 180}}},
      {CorruptionKind::translation, "translation", moved<Movement::translation>, {kShare}},
      {CorruptionKind::scaling, "scaling", moved<Movement::scaling>, {kFactor}},
      {CorruptionKind::shear, "shear", moved<Movement::shear>, {kFactor}},
      {CorruptionKind::linear, "linear", makeLinear, {kAny, kAny, kAny, kAny}},
      {CorruptionKind::occlusion, "occlusion", makeOcclusion, {kShare}},
  };
  return all;
}

const Entry& entryOf(CorruptionKind kind) {
  const Entry& entry = entries()[static_cast<size_t>(kind)];
  assert(entry.kind == kind);
  return entry;
}

Status check(const CorruptArgs& args) {
  if (args.kind < CorruptionKind{} || args.kind > CorruptionKind::last) {
    return Status::invalid("corrupt", "kind", "0 to " + std::to_string(static_cast<int>(CorruptionKind::last)),
                           std::to_string(static_cast<int>(args.kind)));
  }
  const Entry& entry = entryOf(args.kind);
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

// Values per thread that justify its start.
constexpr int64_t kWorth = 16384;

}  // namespace

Status corrupt(const CorruptArgs& args) {
  if (Status status = check(args); !status) return status;
  const auto corruption = entryOf(args.kind).make(args.size, args.constants);
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
