// Transformations: what happens to an image without noise: moved, lit otherwise, partly covered. One number each, which
// its strength is; the side or place that it leaves open is drawn at random.
#include "image/transformations.h"

#include <cmath>

#include "image/corruption.h"
#include "image/numeric.h"

namespace faultline::image {
namespace {

constexpr uint32_t kSign = 0, kPlace = 1;  // purposes

// From a place of the result, relative to the middle, to the place of the image: [[a, b], [c, d]] and a shift.
struct Affine {
  float xx, xy, yx, yy, shiftX, shiftY;
};

// Rotation, translation, scaling, shear: bilinear, black outside.
class Geometric : public Corruption {
 public:
  Geometric(Size size, Movement movement, double strength)
      : Corruption(size), movement_(movement), strength_(strength) {}
  int64_t scratch() const override { return size_.values(); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    const auto [h, w, c] = size_;
    toFloats(size_.values(), in, scratch);
    const Affine map = inverse(stream);
    const float middleX = .5f * static_cast<float>(w - 1), middleY = .5f * static_cast<float>(h - 1);
    for (int64_t i = 0; i < h; ++i) {
      for (int64_t j = 0; j < w; ++j, out += c) {
        const float x = static_cast<float>(j) - middleX, y = static_cast<float>(i) - middleY;
        sample(scratch, map.yx * x + map.yy * y + map.shiftY + middleY, map.xx * x + map.xy * y + map.shiftX + middleX,
               out);
      }
    }
  }

 private:
  Affine inverse(const Stream& stream) const {
    const double sign = stream.integer(kSign, 0, 2) == 0 ? -1 : 1;
    const auto amount = static_cast<float>(sign * strength_);
    switch (movement_) {
      case Movement::rotation: {  // degrees
        const SineCosine angle = sineCosineOfDegrees(sign * strength_);
        return {angle.cosine, angle.sine, -angle.sine, angle.cosine, 0, 0};
      }
      case Movement::translation: {  // share of the side, to one of the eight sides and corners
        const int64_t side = stream.integer(kPlace, 0, 8), at = side < 4 ? side : side + 1;  // 4 of 9 is the middle
        const auto step = static_cast<float>(strength_);
        return {1,
                0,
                0,
                1,
                static_cast<float>(at % 3 - 1) * step * static_cast<float>(size_.w),
                static_cast<float>(at / 3 - 1) * step * static_cast<float>(size_.h)};
      }
      case Movement::scaling: {  // larger or smaller by 1 + strength
        const auto factor = static_cast<float>(sign > 0 ? 1 / (1 + strength_) : 1 + strength_);
        return {factor, 0, 0, factor, 0, 0};
      }
      case Movement::shear: {  // along one of the axes
        const bool rows = stream.integer(kPlace, 0, 2) == 0;
        return {1, rows ? amount : 0, rows ? 0 : amount, 1, 0, 0};
      }
    }
    return {1, 0, 0, 1, 0, 0};
  }

  void sample(const float* image, float row, float column, uint8_t* out) const {
    const int64_t h = size_.h, w = size_.w, c = size_.c;  // named bindings cannot be captured (Clang 14)
    const float top = std::floor(row), left = std::floor(column);
    const float fy = row - top, fx = column - left;
    const auto i = static_cast<int64_t>(top), j = static_cast<int64_t>(left);
    const auto at = [&](int64_t y, int64_t x, int64_t k) {
      return y < 0 || y >= h || x < 0 || x >= w ? 0.f : image[(y * w + x) * c + k];
    };
    for (int64_t k = 0; k < c; ++k) {
      const float above = at(i, j, k) + fx * (at(i, j + 1, k) - at(i, j, k));
      const float below = at(i + 1, j, k) + fx * (at(i + 1, j + 1, k) - at(i + 1, j, k));
      out[k] = roundedByte(above + fy * (below - above));
    }
  }

  static uint8_t roundedByte(float value) { return toByte(value + .5f * kByte); }

  const Movement movement_;
  const double strength_;
};

// a · x + b, held in 0–255 and rounded.
class Linear : public Corruption {
 public:
  // Lighter and darker with the same chance when `signs`: then a and b are for one side, a2 and b2 for the other.
  Linear(Size size, double a, double b, double a2, double b2) : Corruption(size) {
    for (int i = 0; i < 256; ++i) {
      const float x = static_cast<float>(i);
      tables_[0][i] = toByte((static_cast<float>(a) * x + 255.f * static_cast<float>(b) + .5f) * kByte);
      tables_[1][i] = toByte((static_cast<float>(a2) * x + 255.f * static_cast<float>(b2) + .5f) * kByte);
    }
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float*) const override {
    const uint8_t* table = tables_[stream.integer(kSign, 0, 2)];
    for (int64_t i = 0; i < size_.values(); ++i) out[i] = table[in[i]];
  }

 private:
  uint8_t tables_[2][256];
};

// A black square, at a random place, that covers a share of the image.
class Occlusion : public Corruption {
 public:
  Occlusion(Size size, double share) : Corruption(size) {
    const double side = std::sqrt(share);
    height_ = std::min(size.h, static_cast<int64_t>(std::nearbyint(side * static_cast<double>(size.h))));
    width_ = std::min(size.w, static_cast<int64_t>(std::nearbyint(side * static_cast<double>(size.w))));
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float*) const override {
    std::copy_n(in, size_.values(), out);
    const int64_t top = stream.integer(kPlace, 0, size_.h - height_ + 1),
                  left = stream.integer(kPlace, 1, size_.w - width_ + 1);
    for (int64_t i = top; i < top + height_; ++i) {
      std::fill_n(out + (i * size_.w + left) * size_.c, width_ * size_.c, uint8_t{0});
    }
  }

 private:
  int64_t height_, width_;
};

}  // namespace

std::unique_ptr<Corruption> makeMovement(Size size, Movement movement, double strength) {
  return std::make_unique<Geometric>(size, movement, strength);
}
std::unique_ptr<Corruption> makeLinear(Size size, Constants c) {
  return std::make_unique<Linear>(size, c[0], c[1], c[2], c[3]);
}
std::unique_ptr<Corruption> makeOcclusion(Size size, Constants c) { return std::make_unique<Occlusion>(size, c[0]); }

}  // namespace faultline::image
