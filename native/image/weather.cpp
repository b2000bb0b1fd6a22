// snow, frost, fog.
#include <cmath>

#include "image/corruption.h"
#include "image/frost_texture.h"
#include "image/plasma.h"

namespace faultline::image {
namespace {

// Flakes: the brightest of normal noise, enlarged, smeared downwards, laid over the whitened image twice, the second
// time turned by half a turn.
class Snow : public Corruption {
 public:
  Snow(Size size, Constants c)
      : Corruption(size),
        mean_(static_cast<float>(c[0])),
        deviation_(static_cast<float>(c[1])),
        rows_(zoomAxis(size.h, c[2])),
        columns_(zoomAxis(size.w, c[2])),
        least_(static_cast<float>(c[3])),
        smear_(motionKernel(c[4], c[5])),
        share_(static_cast<float>(c[6])) {}
  int64_t scratch() const override { return 2 * wholeBlocks(size_.pixels()) + zoomScratch(size_.plane()); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    const int64_t pixels = size_.pixels();
    float* a = scratch;
    float* b = a + wholeBlocks(pixels);
    stream.normals(kFlakes, pixels, a);
    for (int64_t p = 0; p < pixels; ++p) a[p] = mean_ + deviation_ * a[p];
    std::fill_n(b, pixels, 0.f);
    addZoomed(rows_, columns_, size_.plane(), a, b, b + wholeBlocks(pixels));
    for (int64_t p = 0; p < pixels; ++p) b[p] = b[p] < least_ ? 0.f : static_cast<float>(toByte(b[p])) * kByte;
    motionBlur(smear_, stream.uniform(kAngle, 0, -135, -45), size_.plane(), b, a);
    for (int64_t p = 0; p < pixels; ++p) a[p] = static_cast<float>(toByte(a[p])) * kByte;
    for (int64_t p = 0; p < pixels; ++p) pixel(in + p * size_.c, a[p] + a[pixels - 1 - p], out + p * size_.c);
  }

 private:
  static constexpr uint32_t kFlakes = 0, kAngle = 1;

  void pixel(const uint8_t* in, float snow, uint8_t* out) const {
    const float grey = size_.c == 1 ? static_cast<float>(in[0]) * kByte : luminance(in[0], in[1], in[2]) * kByte;
    const float white = grey * 1.5f + .5f;
    for (int64_t k = 0; k < size_.c; ++k) {
      const float x = static_cast<float>(in[k]) * kByte;
      out[k] = toByte(share_ * x + (1 - share_) * std::max(x, white) + snow);
    }
  }

  const float mean_, deviation_;
  const ZoomAxis rows_, columns_;
  const float least_;
  const MotionKernel smear_;
  const float share_;
};

// A random piece of a random texture, added.
class Frost : public Corruption {
 public:
  Frost(Size size, double image, double frost, double step)
      : Corruption(size), image_(static_cast<float>(image)), frost_(static_cast<float>(frost)), step_(step) {
    frostTexture(0);  // made here, not by the threads
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float*) const override {
    const float* texture = frostTexture(stream.integer(kPlace, 0, kFrostTextures));
    const int64_t top = stream.integer(kPlace, 1, kFrostSide), left = stream.integer(kPlace, 2, kFrostSide);
    for (int64_t i = 0; i < size_.h; ++i) {
      for (int64_t j = 0; j < size_.w; ++j, in += size_.c, out += size_.c) {
        const float* ice = texture + 3 * (place(top, i) * kFrostSide + place(left, j));
        if (size_.c == 1) {
          out[0] = blend(in[0], luminance(ice[0], ice[1], ice[2]));
        } else {
          for (int64_t k = 0; k < 3; ++k) out[k] = blend(in[k], ice[k]);
        }
      }
    }
  }

 private:
  static constexpr uint32_t kPlace = 0;

  int64_t place(int64_t start, int64_t i) const {
    return (start + static_cast<int64_t>(static_cast<double>(i) * step_)) % kFrostSide;
  }
  uint8_t blend(uint8_t x, float ice) const { return toByte(image_ * (static_cast<float>(x) * kByte) + frost_ * ice); }

  const float image_, frost_;
  const double step_;
};

// Clouds added, the sum scaled so that it is at most as bright as the image was.
class Fog : public Corruption {
 public:
  Fog(Size size, double amount, double decay)
      : Corruption(size),
        amount_(static_cast<float>(amount)),
        decay_(decay),
        side_(powerOfTwoFrom(std::max(size.h, size.w))) {}
  int64_t scratch() const override { return 2 * wholeBlocks(side_ * side_); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    float* noise = scratch;
    float* clouds = noise + wholeBlocks(side_ * side_);
    stream.uniforms(0, side_ * side_, noise);
    plasma(side_, decay_, noise, clouds);
    const float largest = static_cast<float>(*std::max_element(in, in + size_.values())) * kByte;
    const float scale = largest / (largest + amount_);
    for (int64_t i = 0; i < size_.h; ++i) {
      for (int64_t j = 0; j < size_.w; ++j, in += size_.c, out += size_.c) {
        const float added = amount_ * clouds[i * side_ + j];
        for (int64_t k = 0; k < size_.c; ++k) out[k] = toByte((static_cast<float>(in[k]) * kByte + added) * scale);
      }
    }
  }

 private:
  const float amount_;
  const double decay_;
  const int64_t side_;
};

}  // namespace

std::unique_ptr<Corruption> makeSnow(Size size, Constants c) { return std::make_unique<Snow>(size, c); }
std::unique_ptr<Corruption> makeFrost(Size size, Constants c) {
  return std::make_unique<Frost>(size, c[0], c[1], c[2]);
}
std::unique_ptr<Corruption> makeFog(Size size, Constants c) { return std::make_unique<Fog>(size, c[0], c[1]); }

}  // namespace faultline::image
