// What the corruptions share: borders, Gaussian blur, blur along a line, enlarging the middle of an image.
// Images are float32 [h, w, c].
#pragma once

#include <cstdint>
#include <vector>

namespace faultline::image {

struct Size {
  int64_t h, w, c;

  int64_t pixels() const { return h * w; }
  int64_t values() const { return h * w * c; }
  Size plane() const { return {h, w, 1}; }
};

// What lies beyond the border of `abcd`: nearest aaa|abcd|ddd, reflect cba|abcd|dcb, reflect101 dcb|abcd|cba.
enum class Border { nearest, reflect, reflect101 };
// Where place i of an axis of n places is found.
int64_t inside(Border border, int64_t i, int64_t n);

// Weights of places −radius … radius, of sum 1.
struct Kernel {
  int64_t radius;
  std::vector<float> weights;
};

// exp(−i² / 2σ²), cut at round(truncate · σ), as scipy.ndimage.gaussian_filter1d.
Kernel gaussianKernel(double sigma, double truncate);
// Floats of working memory for blur.
int64_t blurScratch(const Kernel& kernel, Size size);
// y: x blurred along both axes; may be x.
void blur(const Kernel& kernel, Border border, Size size, const float* x, float* y, float* scratch);

// Weights of a whole plane, those that are not 0.
struct Tap {
  int64_t dy, dx;
  float weight;
};
int64_t correlateScratch(int64_t radius, Size size);
// y: the correlation of x with taps at most `radius` away.
void correlate(const std::vector<Tap>& taps, int64_t radius, Border border, Size size, const float* x, float* y,
               float* scratch);

// Half a Gaussian along a line that begins at the pixel, as ImageMagick's MotionBlurImage(radius, sigma, angle).
struct MotionKernel {
  std::vector<float> weights;  // of 0, 1, … steps along the line
};
MotionKernel motionKernel(double radius, double sigma);
void motionBlur(const MotionKernel& kernel, double degrees, Size size, const float* x, float* y);

// The middle of an axis enlarged to fill it, by linear interpolation, as scipy.ndimage.zoom of the middle
// ceil(n / factor) places, cut to n: place i of the result is low[i] · (1 − fraction[i]) + high[i] · fraction[i].
struct ZoomAxis {
  std::vector<int32_t> low, high;
  std::vector<float> fraction;
};
// `channels`: each place is so many values, one after the other, which get separate entries (columns of an image).
ZoomAxis zoomAxis(int64_t n, double factor, int64_t channels = 1);
int64_t zoomScratch(Size size);
// y += the image enlarged along both axes.
void addZoomed(const ZoomAxis& rows, const ZoomAxis& columns, Size size, const float* x, float* y, float* scratch);

// x at (row, column), linearly between pixels: one value for each channel, to out[c].
void sampleBilinear(Size size, const float* x, Border border, float row, float column, float* out);

}  // namespace faultline::image
