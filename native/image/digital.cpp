// brightness, contrast, saturate, elastic_transform, pixelate.
#include <cmath>

#include "image/corruption.h"

namespace faultline::image {
namespace {

// Changes of a pixel's colour in the HSV model, written as what they do to red, green and blue.
class Brightness : public Corruption {
 public:
  Brightness(Size size, float added) : Corruption(size), added_(added) {}
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float*) const override {
    const int64_t c = size_.c;
    for (int64_t p = 0; p < size_.values(); p += c) {
      uint8_t largest = in[p];
      for (int64_t k = 1; k < c; ++k) largest = std::max(largest, in[p + k]);
      const float value = static_cast<float>(largest) * kByte;
      const float brighter = std::clamp(value + added_, 0.f, 1.f);
      for (int64_t k = 0; k < c; ++k) {
        // The same hue and saturation: all channels grow by one factor. Black has neither, and becomes grey.
        out[p + k] = toByte(largest == 0 ? brighter : static_cast<float>(in[p + k]) * kByte * (brighter / value));
      }
    }
  }

 private:
  const float added_;
};

class Saturate : public Corruption {
 public:
  Saturate(Size size, float factor, float added) : Corruption(size), factor_(factor), added_(added) {}
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float*) const override {
    if (size_.c == 1) return grey(in, out);
    for (int64_t p = 0; p < size_.values(); p += 3) {
      const uint8_t largest = std::max({in[p], in[p + 1], in[p + 2]});
      const uint8_t smallest = std::min({in[p], in[p + 1], in[p + 2]});
      const float value = static_cast<float>(largest) * kByte;
      const float saturation =
          largest == 0 ? 0.f : static_cast<float>(largest - smallest) / static_cast<float>(largest);
      const float changed = std::clamp(saturation * factor_ + added_, 0.f, 1.f);
      for (int64_t k = 0; k < 3; ++k) {
        // A grey pixel has hue 0, red.
        const float missing = saturation == 0
                                  ? (k == 0 ? 0.f : value * changed)
                                  : (value - static_cast<float>(in[p + k]) * kByte) * (changed / saturation);
        out[p + k] = toByte(value - missing);
      }
    }
  }

 private:
  void grey(const uint8_t* in, uint8_t* out) const {
    const float dull = 1 - std::clamp(added_, 0.f, 1.f);
    const float factor = luminance(1, dull, dull);
    for (int64_t p = 0; p < size_.pixels(); ++p) out[p] = toByte(static_cast<float>(in[p]) * kByte * factor);
  }

  const float factor_, added_;
};

// Each channel drawn towards its mean.
class Contrast : public Corruption {
 public:
  Contrast(Size size, float factor) : Corruption(size), factor_(factor) {}
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float*) const override {
    for (int64_t k = 0; k < size_.c; ++k) {
      int64_t sum = 0;
      for (int64_t i = k; i < size_.values(); i += size_.c) sum += in[i];
      const float mean = static_cast<float>(static_cast<double>(sum) / (255.0 * static_cast<double>(size_.pixels())));
      for (int64_t i = k; i < size_.values(); i += size_.c) {
        out[i] = toByte((static_cast<float>(in[i]) * kByte - mean) * factor_ + mean);
      }
    }
  }

 private:
  const float factor_;
};

// A random affine map, then a smooth random displacement (Simard, Steinkraus & Platt, 2003).
class ElasticTransform : public Corruption {
 public:
  ElasticTransform(Size size, double amplitude, double sigma, double affine)
      : Corruption(size),
        side_(static_cast<double>(std::min(size.h, size.w))),
        amplitude_(static_cast<float>(amplitude * side_)),
        affine_(affine * side_),
        kernel_(gaussianKernel(sigma * side_, kTruncate)) {}
  int64_t scratch() const override {
    return 2 * size_.values() + 2 * wholeBlocks(size_.pixels()) + blurScratch(kernel_, size_.plane());
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    const auto [h, w, c] = size_;
    float* image = scratch;
    float* warped = image + size_.values();
    float* dx = warped + size_.values();
    float* dy = dx + wholeBlocks(size_.pixels());
    float* working = dy + wholeBlocks(size_.pixels());
    toFloats(size_.values(), in, image);
    warp(stream, image, warped);
    displacement(stream, kColumns, dx, working);
    displacement(stream, kRows, dy, working);
    for (int64_t i = 0; i < h; ++i) {
      for (int64_t j = 0; j < w; ++j) {
        const int64_t p = i * w + j;
        sampleBilinear(size_, warped, Border::reflect, static_cast<float>(i) + dy[p], static_cast<float>(j) + dx[p],
                       image + p * c);
      }
    }
    toBytes(size_.values(), image, out);
  }

 private:
  static constexpr double kTruncate = 3;
  static constexpr uint32_t kCorners = 0, kColumns = 1, kRows = 2;  // purposes

  void displacement(const Stream& stream, uint32_t purpose, float* field, float* working) const {
    stream.uniforms(purpose, size_.pixels(), field);
    for (int64_t p = 0; p < size_.pixels(); ++p) field[p] = 2 * field[p] - 1;
    blur(kernel_, Border::reflect, size_.plane(), field, field, working);
    for (int64_t p = 0; p < size_.pixels(); ++p) field[p] *= amplitude_;
  }

  // Three corners of a square in the middle move by up to ±affine in both directions; the map that moves them so.
  void warp(const Stream& stream, const float* image, float* out) const {
    const auto [h, w, c] = size_;
    const double middleX = static_cast<double>(w / 2), middleY = static_cast<double>(h / 2);
    const double reach = static_cast<double>(std::min(h, w) / 3);
    const double from[3][2] = {
        {middleX + reach, middleY + reach}, {middleX + reach, middleY - reach}, {middleX - reach, middleY - reach}};
    double to[3][2];
    for (uint32_t i = 0; i < 6; ++i)
      to[i / 2][i % 2] = from[i / 2][i % 2] + stream.uniform(kCorners, i, -affine_, affine_);
    // From the result's places back: to[2] → from[2], and the two sides to[1] − to[2], to[0] − to[1].
    const double ax = to[1][0] - to[2][0], ay = to[1][1] - to[2][1];
    const double bx = to[0][0] - to[1][0], by = to[0][1] - to[1][1];
    const double determinant = ax * by - ay * bx;
    if (std::abs(determinant) < 1e-9) {  // corners in line: no map, and the image stays
      std::copy_n(image, size_.values(), out);
      return;
    }
    const double side = 2 * reach;
    for (int64_t i = 0; i < h; ++i) {
      for (int64_t j = 0; j < w; ++j) {
        const double x = static_cast<double>(j) - to[2][0], y = static_cast<double>(i) - to[2][1];
        const double u = (x * by - y * bx) / determinant, v = (y * ax - x * ay) / determinant;
        sampleBilinear(size_, image, Border::reflect101, static_cast<float>(from[2][1] + v * side),
                       static_cast<float>(from[2][0] + u * side), out + (i * w + j) * c);
      }
    }
  }

  const double side_;
  const float amplitude_;
  const double affine_;
  const Kernel kernel_;
};

// Made smaller and enlarged again, both by Pillow's box filter: means of whole pixels in 22-bit fixed point, columns
// first, rounded to bytes in between.
class Pixelate : public Corruption {
 public:
  Pixelate(Size size, double factor) : Corruption(size) {
    const auto smaller = [&](int64_t n) {
      return std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(n) * factor));
    };
    rows_ = {boxes(size.h, smaller(size.h)), boxes(smaller(size.h), size.h)};
    columns_ = {boxes(size.w, smaller(size.w)), boxes(smaller(size.w), size.w)};
  }
  int64_t scratch() const override { return (size_.values() * 2 + 3) / 4; }
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float* scratch) const override {
    const auto [h, w, c] = size_;
    auto* a = reinterpret_cast<uint8_t*>(scratch);
    uint8_t* b = a + size_.values();
    const auto smallH = static_cast<int64_t>(rows_.down.size()), smallW = static_cast<int64_t>(columns_.down.size());
    overColumns(columns_.down, h, w, in, a);
    overRows(rows_.down, smallW * c, a, b);
    overColumns(columns_.up, smallH, smallW, b, a);
    overRows(rows_.up, w * c, a, out);
  }

 private:
  struct Box {
    int64_t first, count;
    int64_t weight;  // of each pixel, in 2^-22
  };
  struct Axis {
    std::vector<Box> down, up;
  };
  static constexpr int kPrecision = 22;

  static std::vector<Box> boxes(int64_t from, int64_t to) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double filterScale = std::max(scale, 1.0), support = .5 * filterScale;
    std::vector<Box> all;
    for (int64_t i = 0; i < to; ++i) {
      const double centre = (static_cast<double>(i) + .5) * scale;
      Box box{-1, 0, 0};
      const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + .5));
      const auto end = std::min<int64_t>(from, static_cast<int64_t>(centre + support + .5));
      for (int64_t k = first; k < end; ++k) {
        const double at = (static_cast<double>(k) - centre + .5) / filterScale;
        if (at <= -.5 || at > .5) continue;
        if (box.count == 0) box.first = k;
        ++box.count;
      }
      box.weight = static_cast<int64_t>(.5 + (1 << kPrecision) / static_cast<double>(box.count));
      all.push_back(box);
    }
    return all;
  }

  static uint8_t rounded(int64_t sum) {
    return static_cast<uint8_t>(std::min<int64_t>(255, (sum + (1 << (kPrecision - 1))) >> kPrecision));
  }

  void overColumns(const std::vector<Box>& axis, int64_t h, int64_t w, const uint8_t* in, uint8_t* out) const {
    const int64_t c = size_.c;
    for (int64_t i = 0; i < h; ++i) {
      for (const Box& box : axis) {
        for (int64_t k = 0; k < c; ++k) {
          int64_t sum = 0;
          for (int64_t j = box.first; j < box.first + box.count; ++j) sum += in[(i * w + j) * c + k];
          *out++ = rounded(sum * box.weight);
        }
      }
    }
  }

  static void overRows(const std::vector<Box>& axis, int64_t row, const uint8_t* in, uint8_t* out) {
    for (const Box& box : axis) {
      for (int64_t j = 0; j < row; ++j) {
        int64_t sum = 0;
        for (int64_t i = box.first; i < box.first + box.count; ++i) sum += in[i * row + j];
        *out++ = rounded(sum * box.weight);
      }
    }
  }

  Axis rows_, columns_;
};

}  // namespace

std::unique_ptr<Corruption> makeBrightness(Size size, Constants c) {
  return std::make_unique<Brightness>(size, static_cast<float>(c[0]));
}
std::unique_ptr<Corruption> makeContrast(Size size, Constants c) {
  return std::make_unique<Contrast>(size, static_cast<float>(c[0]));
}
std::unique_ptr<Corruption> makeSaturate(Size size, Constants c) {
  return std::make_unique<Saturate>(size, static_cast<float>(c[0]), static_cast<float>(c[1]));
}
std::unique_ptr<Corruption> makeElasticTransform(Size size, Constants c) {
  return std::make_unique<ElasticTransform>(size, c[0], c[1], c[2]);
}
std::unique_ptr<Corruption> makePixelate(Size size, Constants c) { return std::make_unique<Pixelate>(size, c[0]); }

}  // namespace faultline::image
