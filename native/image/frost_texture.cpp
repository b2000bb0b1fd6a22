#include "image/frost_texture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "image/numeric.h"
#include "image/plasma.h"
#include "image/random.h"

namespace faultline::image {
namespace {

constexpr int64_t kPixels = kFrostSide * kFrostSide;
constexpr uint32_t kClouds = 0, kCrystals = 1;  // purposes of a texture's stream

// The look: kept numbers were chosen by eye and by the photographs' mean, deviation and spectrum.
constexpr double kCloudDecay = 1.7;
constexpr int kCrystalCount = 420;
constexpr double kLongestArm = 46, kShortestArm = 14;  // pixels
constexpr double kBranchEvery = 4.5;                   // pixels along an arm
constexpr double kBranchAngle = 60;                    // degrees: ice is hexagonal
constexpr std::array<float, 3> kMean = {123.f / 255, 142.f / 255, 155.f / 255};
constexpr float kDeviation = 30.f / 255;

class Canvas {
 public:
  explicit Canvas(std::vector<float>& light) : light_(light) {}

  // Light along a line that fades from `from` to `to`, at most as bright as the brightest there.
  void line(double x, double y, double degrees, double length, double from, double to) {
    const SineCosine direction = sineCosineOfDegrees(degrees);
    const auto steps = static_cast<int>(length * 1.5);
    for (int i = 0; i <= steps; ++i) {
      const double along = length * i / std::max(1, steps);
      dot(x + along * direction.cosine, y + along * direction.sine, from + (to - from) * i / std::max(1, steps));
    }
  }

 private:
  void dot(double x, double y, double light) {
    constexpr int64_t kMask = kFrostSide - 1;
    const double left = std::floor(x), top = std::floor(y);
    const double fx = x - left, fy = y - top;
    const double share[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
    for (int64_t i = 0; i < 4; ++i) {
      const int64_t row = (static_cast<int64_t>(top) + i / 2) & kMask,
                    column = (static_cast<int64_t>(left) + i % 2) & kMask;
      float& pixel = light_[static_cast<size_t>(row * kFrostSide + column)];
      pixel = std::max(pixel, static_cast<float>(light * share[i]));
    }
  }

  std::vector<float>& light_;
};

// A star of arms, each feathered with branches that grow shorter towards its tip.
void growCrystal(const Stream& stream, uint32_t number, Canvas& canvas) {
  uint32_t drawn = number * 64;
  const auto draw = [&](double low, double high) { return stream.uniform(kCrystals, drawn++, low, high); };
  const double x = draw(0, kFrostSide), y = draw(0, kFrostSide), turn = draw(0, 360);
  const auto arms = static_cast<int>(draw(2, 7));
  const double brightness = draw(.35, 1);
  for (int arm = 0; arm < arms; ++arm) {
    const double degrees = turn + 60 * arm + draw(-14, 14);
    const double length = draw(kShortestArm, kLongestArm);
    const SineCosine direction = sineCosineOfDegrees(degrees);
    canvas.line(x, y, degrees, length, brightness, .3 * brightness);
    for (double along = kBranchEvery; along < length; along += kBranchEvery) {
      const double branch = .45 * (length - along) * (1 - .5 * along / length) + 1;
      for (const double side : {-kBranchAngle, kBranchAngle}) {
        canvas.line(x + along * direction.cosine, y + along * direction.sine, degrees + side, branch, .8 * brightness,
                    .1);
      }
    }
  }
}

std::vector<float> makeTexture(uint32_t number) {
  const Stream stream{{0x66726F73u, number}, 0};
  std::vector<float> noise(kPixels), clouds(kPixels), light(kPixels, 0.f);
  stream.uniforms(kClouds, kPixels, noise.data());
  plasma(kFrostSide, kCloudDecay, noise.data(), clouds.data());
  Canvas canvas(light);
  for (uint32_t crystal = 0; crystal < kCrystalCount; ++crystal) growCrystal(stream, crystal, canvas);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < kPixels; ++i) {
    const auto p = static_cast<size_t>(i);
    // Crystals stand out against the darker glass between them.
    light[p] = .55f * clouds[p] + .5f * light[p] + .06f * noise[p];
    sum += light[p];
    squares += static_cast<double>(light[p]) * light[p];
  }
  const double mean = sum / kPixels, deviation = std::sqrt(squares / kPixels - mean * mean);
  std::vector<float> texture(static_cast<size_t>(3 * kPixels));
  for (int64_t i = 0; i < kPixels; ++i) {
    const auto p = static_cast<size_t>(i);
    const float shade = static_cast<float>((light[p] - mean) / deviation) * kDeviation;
    for (size_t k = 0; k < 3; ++k) texture[3 * p + k] = std::clamp(kMean[k] + shade, 0.f, 1.f);
  }
  return texture;
}

}  // namespace

const float* frostTexture(int64_t i) {
  static const std::array<std::vector<float>, kFrostTextures> textures = [] {
    std::array<std::vector<float>, kFrostTextures> all;
    for (uint32_t number = 0; number < kFrostTextures; ++number) all[number] = makeTexture(number);
    return all;
  }();
  return textures[static_cast<size_t>(i)].data();
}

}  // namespace faultline::image
