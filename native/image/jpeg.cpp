// jpeg_compression: what a baseline JPEG encoder and decoder leave of an image (ITU-T T.81, JFIF), without the lossless
// part in between. Colour as Pillow and libjpeg do by default: chroma at half the resolution, enlarged by triangles.
#include <algorithm>
#include <array>

#include "float/vectorize.h"
#include "image/corruption.h"

namespace faultline::image {
namespace {

constexpr int64_t kBlock = 8;
using Table = std::array<int32_t, kBlock * kBlock>;

// ITU-T T.81, tables K.1 and K.2, row by row.
constexpr std::array<int, 64> kLuminanceSteps = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                                 14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                                 18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                                 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr std::array<int, 64> kChrominanceSteps = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                                   24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                                   99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                                   99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

// The scaling that quality means in libjpeg.
Table steps(const std::array<int, 64>& standard, int quality) {
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  Table table;
  for (size_t i = 0; i < 64; ++i) table[i] = std::clamp((standard[i] * scale + 50) / 100, 1, 255);
  return table;
}

// kCosines[u, x] = √2 cos((2x + 1) u π / 16) (1 for u = 0) in 13-bit fixed point: the sums of rounded constants that
// remain when the accurate integer transform of libjpeg (Loeffler, Ligtenberg & Moschytz, 1989) is multiplied out. With
// them and the same rounding, every coefficient and every pixel is the one that libjpeg computes.
constexpr Table kCosines = {8192,  8192,   8192,   8192,   8192,   8192,  8192,   8192,    //
                            11363, 9633,   6437,   2260,   -2260,  -6437, -9633,  -11363,  //
                            10703, 4433,   -4433,  -10703, -10703, -4433, 4433,   10703,   //
                            9633,  -2259,  -11362, -6436,  6436,   11362, 2259,   -9633,   //
                            8192,  -8192,  -8192,  8192,   8192,   -8192, -8192,  8192,    //
                            6437,  -11362, 2261,   9633,   -9633,  -2261, 11362,  -6437,   //
                            4433,  -10704, 10704,  -4433,  -4433,  10704, -10704, 4433,    //
                            2260,  -6436,  9633,   -11363, 11363,  -9633, 6436,   -2260};
constexpr int kFraction = 13;     // bits of the constants
constexpr int kIntermediate = 2;  // bits kept between the two passes
constexpr int kScale = 3;         // coefficients are 8 times as large as they would be

// out[i, j] = Σ a[i, k] b[k, j], rounded to `bits` fewer; 8×8.
inline __attribute__((always_inline)) void product(const int32_t* a, const int32_t* b, int bits, int32_t* out) {
  for (int i = 0; i < 8; ++i) {
    int32_t sum[8];
    for (int j = 0; j < 8; ++j) sum[j] = 1 << (bits - 1);
    for (int k = 0; k < 8; ++k) {
      for (int j = 0; j < 8; ++j) sum[j] += a[i * 8 + k] * b[k * 8 + j];
    }
    for (int j = 0; j < 8; ++j) out[i * 8 + j] = sum[j] >> bits;
  }
}

// A plane [h, w] of whole blocks, values around 0, to what decoding gives, in place.
FAULTLINE_VECTORIZED void codePlane(int64_t h, int64_t w, const int32_t* cosines, const int32_t* transposed,
                                    const int32_t* steps, int32_t* plane) {
  for (int64_t top = 0; top < h; top += kBlock) {
    for (int64_t left = 0; left < w; left += kBlock) {
      int32_t a[64], b[64];
      for (int64_t i = 0; i < 8; ++i) {
        for (int64_t j = 0; j < 8; ++j) a[i * 8 + j] = plane[(top + i) * w + left + j];
      }
      product(a, transposed, kFraction - kIntermediate, b);
      product(cosines, b, kFraction + kIntermediate, a);
      for (int i = 0; i < 64; ++i) {
        // Halves go away from 0. Both are below 2^24, so the quotient is right in float32 unless it is all but whole;
        // the eighth that is added decides those, as less than half a unit of the dividend.
        const int32_t step = steps[i] << kScale, size = a[i] < 0 ? -a[i] : a[i];
        const auto level =
            static_cast<int32_t>((static_cast<float>(size + (step >> 1)) + .125f) / static_cast<float>(step));
        a[i] = (a[i] < 0 ? -level : level) * steps[i];
      }
      product(transposed, a, kFraction - kIntermediate, b);
      product(b, cosines, kFraction + kIntermediate + kScale, a);
      for (int64_t i = 0; i < 8; ++i) {
        for (int64_t j = 0; j < 8; ++j) {
          const int32_t value = a[i * 8 + j];
          plane[(top + i) * w + left + j] = value < -128 ? -128 : (value > 127 ? 127 : value);
        }
      }
    }
  }
}

class JpegCompression : public Corruption {
 public:
  JpegCompression(Size size, int quality)
      : Corruption(size),
        chromaH_((size.h + 1) / 2),
        chromaW_((size.w + 1) / 2),
        codedH_(whole(size.c == 1 ? size.h : 2 * whole(chromaH_))),
        codedW_(whole(size.c == 1 ? size.w : 2 * whole(chromaW_))),
        luminance_(steps(kLuminanceSteps, quality)),
        chrominance_(steps(kChrominanceSteps, quality)) {
    for (size_t i = 0; i < 64; ++i) transposed_[i] = kCosines[i % 8 * 8 + i / 8];
  }
  int64_t scratch() const override {
    return codedH_ * codedW_ * (size_.c == 1 ? 1 : 3) + whole(chromaH_) * whole(chromaW_);
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float* scratch) const override {
    auto* planes = reinterpret_cast<int32_t*>(scratch);
    if (size_.c == 1) {
      grey(in, out, planes);
    } else {
      colour(in, out, planes);
    }
  }

 private:
  static int64_t whole(int64_t n) { return (n + kBlock - 1) / kBlock * kBlock; }

  void code(int64_t h, int64_t w, const Table& table, int32_t* plane) const {
    codePlane(h, w, kCosines.data(), transposed_.data(), table.data(), plane);
  }

  // value(i, j) of each place of the image, the last row and column repeated to fill [codedH, codedW].
  template <typename Value>
  void fill(int32_t* plane, Value&& value) const {
    for (int64_t i = 0; i < codedH_; ++i) {
      for (int64_t j = 0; j < codedW_; ++j) {
        plane[i * codedW_ + j] = value(std::min(i, size_.h - 1), std::min(j, size_.w - 1));
      }
    }
  }

  void grey(const uint8_t* in, uint8_t* out, int32_t* plane) const {
    const auto [h, w, c] = size_;
    fill(plane, [&](int64_t i, int64_t j) { return in[i * size_.w + j] - 128; });
    code(codedH_, codedW_, luminance_, plane);
    for (int64_t i = 0; i < h; ++i) {
      for (int64_t j = 0; j < w; ++j) out[i * w + j] = static_cast<uint8_t>(plane[i * codedW_ + j] + 128);
    }
  }

  // JFIF's colours in 16-bit fixed point, around 0.
  void colour(const uint8_t* in, uint8_t* out, int32_t* scratch) const {
    constexpr int32_t kHalf = 1 << 15;
    const auto [h, w, c] = size_;
    const int64_t coded = codedH_ * codedW_, smallW = whole(chromaW_), smallH = whole(chromaH_);
    int32_t* light = scratch;
    int32_t* blue = light + coded;
    int32_t* red = blue + coded;
    int32_t* small = red + coded;
    const auto weighted = [&](int32_t r, int32_t g, int32_t b, int32_t rounding, int32_t offset) {
      return [=, this](int64_t i, int64_t j) {
        const uint8_t* p = in + (i * size_.w + j) * 3;
        return ((r * p[0] + g * p[1] + b * p[2] + rounding) >> 16) - offset;
      };
    };
    fill(light, weighted(19595, 38470, 7471, kHalf, 128));
    fill(blue, weighted(-11059, -21709, 32768, kHalf - 1, 0));
    fill(red, weighted(32768, -27439, -5329, kHalf - 1, 0));
    code(codedH_, codedW_, luminance_, light);
    for (int32_t* chroma : {blue, red}) {
      halve(chroma, smallH, smallW, small);
      code(smallH, smallW, chrominance_, small);
      enlarge(small, smallW, chroma);
    }
    for (int64_t i = 0; i < h; ++i) {
      for (int64_t j = 0; j < w; ++j, out += 3) {
        const int64_t p = i * codedW_ + j;
        const int32_t y = light[p] + 128, b = blue[p], r = red[p];
        out[0] = byte(y + ((91881 * r + kHalf) >> 16));
        out[1] = byte(y + ((-22554 * b - 46802 * r + kHalf) >> 16));
        out[2] = byte(y + ((116130 * b + kHalf) >> 16));
      }
    }
  }

  static uint8_t byte(int32_t value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

  // Means of 2×2 places; halves go down and up in turn, as libjpeg has it.
  void halve(const int32_t* plane, int64_t smallH, int64_t smallW, int32_t* out) const {
    for (int64_t i = 0; i < smallH; ++i) {
      for (int64_t j = 0; j < smallW; ++j) {
        const int32_t* p = plane + 2 * i * codedW_ + 2 * j;
        out[i * smallW + j] = (p[0] + p[1] + p[codedW_] + p[codedW_ + 1] + 1 + static_cast<int32_t>(j & 1)) >> 2;
      }
    }
  }

  // Each place from the four nearest, 9 : 3 : 3 : 1.
  void enlarge(const int32_t* small, int64_t smallW, int32_t* plane) const {
    const auto [h, w, c] = size_;
    for (int64_t i = 0; i < h; ++i) {
      const int64_t row = i / 2, other = std::clamp<int64_t>(i % 2 == 0 ? row - 1 : row + 1, 0, chromaH_ - 1);
      const auto column = [&](int64_t j) { return 3 * small[row * smallW + j] + small[other * smallW + j]; };
      for (int64_t j = 0; j < w; ++j) {
        const int64_t near = j / 2, far = std::clamp<int64_t>(j % 2 == 0 ? near - 1 : near + 1, 0, chromaW_ - 1);
        plane[i * codedW_ + j] = (3 * column(near) + column(far) + (j % 2 == 0 ? 8 : 7)) >> 4;
      }
    }
  }

  const int64_t chromaH_, chromaW_, codedH_, codedW_;
  const Table luminance_, chrominance_;
  Table transposed_;
};

}  // namespace

std::unique_ptr<Corruption> makeJpegCompression(Size size, Constants c) {
  return std::make_unique<JpegCompression>(size, static_cast<int>(c[0]));
}

}  // namespace faultline::image
