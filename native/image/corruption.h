// A corruption with its severity's constants, ready for images of one size. Each makes one image from one image.
//
// Sources of every formula and constant: Hendrycks & Dietterich, "Benchmarking neural network robustness to common
// corruptions and perturbations" (ICLR 2019), and the programs they published with it, which call scikit-image, SciPy,
// OpenCV, Pillow and ImageMagick: what those compute is computed here anew.
//
// A grey image (c = 1) is what a colour image of three equal channels would be, seen as luminance; noise is drawn once
// a pixel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "image/filters.h"
#include "image/random.h"

namespace faultline::image {

class Corruption {
 public:
  explicit Corruption(Size size) : size_(size) {}
  virtual ~Corruption() = default;
  // Floats of working memory that apply() may write.
  virtual int64_t scratch() const { return 0; }
  // in, out: bytes [h, w, c], different memory. Called by several threads at once.
  virtual void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const = 0;

 protected:
  const Size size_;
};

using Constants = const double*;

std::unique_ptr<Corruption> makeGaussianNoise(Size size, Constants c);  // deviation
std::unique_ptr<Corruption> makeShotNoise(Size size, Constants c);      // photons of white
std::unique_ptr<Corruption> makeImpulseNoise(Size size, Constants c);   // share of the values
std::unique_ptr<Corruption> makeSpeckleNoise(Size size, Constants c);   // deviation of the factor
std::unique_ptr<Corruption> makeGaussianBlur(Size size, Constants c);   // sigma
std::unique_ptr<Corruption> makeDefocusBlur(Size size, Constants c);    // radius, sigma of its edge
std::unique_ptr<Corruption> makeGlassBlur(Size size, Constants c);      // sigma, distance, rounds
std::unique_ptr<Corruption> makeMotionBlur(Size size, Constants c);     // radius, sigma
std::unique_ptr<Corruption> makeZoomBlur(Size size, Constants c);       // end of the factors, step
std::unique_ptr<Corruption> makeSnow(Size size, Constants c);   // mean, deviation, zoom, least, radius, sigma, share
std::unique_ptr<Corruption> makeFrost(Size size, Constants c);  // share of the image, of the frost, pixels a step
std::unique_ptr<Corruption> makeFog(Size size, Constants c);    // amount, decay
std::unique_ptr<Corruption> makeBrightness(Size size, Constants c);        // added to the value
std::unique_ptr<Corruption> makeContrast(Size size, Constants c);          // factor
std::unique_ptr<Corruption> makeSaturate(Size size, Constants c);          // factor, added
std::unique_ptr<Corruption> makeElasticTransform(Size size, Constants c);  // amplitude, sigma, affine: in image sides
std::unique_ptr<Corruption> makePixelate(Size size, Constants c);          // factor
std::unique_ptr<Corruption> makeJpegCompression(Size size, Constants c);   // quality
std::unique_ptr<Corruption> makeSpatter(Size size, Constants c);  // mean, deviation, sigma, least, strength, mud?

// A byte from a value in 0–1, cut off below as numpy.uint8 does. The little that is added keeps whole numbers whole.
inline __attribute__((always_inline)) uint8_t toByte(float value) {
  constexpr float kRounding = 1.f / 1024;  // float32 errors of a few operations are below 255 · 2^-21
  const float clamped = value < 0.f ? 0.f : (value > 1.f ? 1.f : value);
  return static_cast<uint8_t>(static_cast<int32_t>(clamped * 255.f + kRounding));
}

inline constexpr float kByte = 1.f / 255.f;
// Luminance of ITU-R BT.601.
inline __attribute__((always_inline)) float luminance(float r, float g, float b) {
  return .299f * r + .587f * g + .114f * b;
}

void toFloats(int64_t count, const uint8_t* in, float* out);  // 0–1
void toBytes(int64_t count, const float* in, uint8_t* out);   // toByte of each

}  // namespace faultline::image
