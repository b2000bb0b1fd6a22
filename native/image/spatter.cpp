// spatter: drops of water, at severities 4 and 5 of mud, thrown at the lens.
#include <array>
#include <cmath>

#include "image/corruption.h"
#include "image/edges.h"

namespace faultline::image {
namespace {

using Colour = std::array<float, 3>;
constexpr Colour kWater = {175.f / 255, 238.f / 255, 238.f / 255};  // pale turquoise
constexpr Colour kMud = {63.f / 255, 42.f / 255, 20.f / 255};       // brown
constexpr double kTruncate = 4;

class Spatter : public Corruption {
 public:
  Spatter(Size size, Constants c)
      : Corruption(size),
        mean_(static_cast<float>(c[0])),
        deviation_(static_cast<float>(c[1])),
        smoothing_(gaussianKernel(c[2], kTruncate)),
        least_(static_cast<float>(c[3])),
        strength_(static_cast<float>(c[4])),
        mud_(c[5] != 0),
        mudEdge_(gaussianKernel(c[4], kTruncate)) {}
  int64_t scratch() const override {
    const int64_t working = std::max({blurScratch(smoothing_, size_.plane()), blurScratch(mudEdge_, size_.plane()),
                                      5 * wholeBlocks(size_.pixels())});
    return wholeBlocks(size_.pixels()) + working;
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    const int64_t pixels = size_.pixels();
    float* liquid = scratch;
    float* working = scratch + wholeBlocks(pixels);
    stream.normals(0, pixels, liquid);
    for (int64_t p = 0; p < pixels; ++p) liquid[p] = mean_ + deviation_ * liquid[p];
    blur(smoothing_, Border::nearest, size_.plane(), liquid, liquid, working);
    if (mud_) {
      for (int64_t p = 0; p < pixels; ++p) liquid[p] = liquid[p] > least_ ? 1.f : 0.f;
      blur(mudEdge_, Border::nearest, size_.plane(), liquid, liquid, working);
      // Nothing but the inside of a drop remains.
      constexpr float kInside = .8f;
      lay(
          in, kMud, out, [&](int64_t p) { return liquid[p] < kInside ? 0.f : liquid[p]; }, true);
    } else {
      for (int64_t p = 0; p < pixels; ++p) liquid[p] = liquid[p] < least_ ? 0.f : liquid[p];
      const float largest = drops(liquid, working);
      const float factor = largest > 0 ? strength_ / largest : 0.f;
      lay(
          in, kWater, out, [&](int64_t p) { return liquid[p] * factor; }, false);
    }
  }

 private:
  // liquid becomes thickness times relief: brighter on one side of each drop, by the distance from its edge. Returns
  // the largest. working: 5 planes.
  float drops(float* liquid, float* working) const {
    const Size plane = size_.plane();
    const int64_t pixels = size_.pixels();
    float* distance = working + 3 * wholeBlocks(pixels);
    auto* bytes = reinterpret_cast<uint8_t*>(distance + wholeBlocks(pixels));
    uint8_t* edges = bytes + pixels;
    for (int64_t p = 0; p < pixels; ++p) bytes[p] = static_cast<uint8_t>(static_cast<int32_t>(liquid[p] * 255.f));
    cannyEdges(plane, bytes, 50, 150, edges, working);
    constexpr float kFarthest = 20;
    distanceFromEdges(plane, edges, kFarthest, distance);
    meanOf3(distance, working);
    constexpr float kRounding = 1.f / 1024;  // whole numbers stay whole
    for (int64_t p = 0; p < pixels; ++p) edges[p] = static_cast<uint8_t>(distance[p] + kRounding);
    equalize(pixels, edges);
    for (int64_t p = 0; p < pixels; ++p) distance[p] = edges[p];
    emboss(distance, working);
    meanOf3(distance, working);
    float largest = 0;
    for (int64_t p = 0; p < pixels; ++p) {
      liquid[p] = static_cast<float>(bytes[p]) * std::nearbyint(distance[p]);
      largest = std::max(largest, liquid[p]);
    }
    return largest;
  }

  // Each place the mean of the 3×3 around it, in place.
  void meanOf3(float* x, float* working) const {
    static const Kernel kMean{1, {1.f / 3, 1.f / 3, 1.f / 3}};
    blur(kMean, Border::reflect101, size_.plane(), x, x, working);
  }

  // Light from one corner: rounded and held in 0–255.
  void emboss(float* x, float* working) const {
    static const std::vector<Tap> kRelief = {{-1, -1, -2.f}, {-1, 0, -1.f}, {0, -1, -1.f}, {0, 0, 1.f},
                                             {0, 1, 1.f},    {1, 0, 1.f},   {1, 1, 2.f}};
    const int64_t pixels = size_.pixels();
    float* result = working + correlateScratch(1, size_.plane());
    correlate(kRelief, 1, Border::reflect101, size_.plane(), x, result, working);
    for (int64_t p = 0; p < pixels; ++p) x[p] = std::clamp(result[p], 0.f, 255.f);
  }

  // The image and the colour, as much of it as `amount` says of each pixel; `covering` takes as much of the image away.
  template <typename Amount>
  void lay(const uint8_t* in, const Colour& colour, uint8_t* out, Amount&& amount, bool covering) const {
    const float grey = luminance(colour[0], colour[1], colour[2]);
    for (int64_t p = 0; p < size_.pixels(); ++p) {
      const float m = amount(p);
      for (int64_t k = 0; k < size_.c; ++k, ++in, ++out) {
        const float added = m * (size_.c == 1 ? grey : colour[static_cast<size_t>(k)]);
        *out = toByte(static_cast<float>(*in) * kByte * (covering ? 1 - m : 1.f) + added);
      }
    }
  }

  const float mean_, deviation_;
  const Kernel smoothing_;
  const float least_, strength_;
  const bool mud_;
  const Kernel mudEdge_;
};

}  // namespace

std::unique_ptr<Corruption> makeSpatter(Size size, Constants c) { return std::make_unique<Spatter>(size, c); }

}  // namespace faultline::image
