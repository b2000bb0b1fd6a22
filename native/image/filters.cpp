#include "image/filters.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "float/exponential.h"
#include "float/vectorize.h"
#include "image/numeric.h"

namespace faultline::image {
namespace {

FAULTLINE_VECTORIZED void addWeighted(int64_t count, float weight, const float* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] += weight * x[i];
}

// y = Σ weight[k] · x[i + k · step], the taps of one output in registers.
FAULTLINE_VECTORIZED void weightedRow(int64_t count, int64_t taps, const float* weights, int64_t step,
                                      const float* __restrict x, float* __restrict y) {
  constexpr int64_t kLanes = 16;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    float sum[kLanes] = {};
    for (int64_t k = 0; k < taps; ++k) {
      const float* from = x + i + k * step;
      for (int64_t l = 0; l < kLanes; ++l) sum[l] += weights[k] * from[l];
    }
    for (int64_t l = 0; l < kLanes; ++l) y[i + l] = sum[l];
  }
  for (; i < count; ++i) {
    float sum = 0;
    for (int64_t k = 0; k < taps; ++k) sum += weights[k] * x[i + k * step];
    y[i] = sum;
  }
}

FAULTLINE_VECTORIZED void mixRows(int64_t count, float fraction, const float* __restrict a, const float* __restrict b,
                                  float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] = a[i] + fraction * (b[i] - a[i]);
}

// y += x[low] mixed with x[high], place by place.
FAULTLINE_VECTORIZED void addMixed(int64_t count, const int32_t* __restrict low, const int32_t* __restrict high,
                                   const float* __restrict fraction, const float* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) {
    const float a = x[low[i]], b = x[high[i]];
    y[i] += a + fraction[i] * (b - a);
  }
}

// One row with `radius` pixels beyond both ends: to[(w + 2 radius) · c].
void padRow(Border border, int64_t radius, int64_t w, int64_t c, const float* from, float* to) {
  std::memcpy(to + radius * c, from, static_cast<size_t>(w * c) * sizeof(float));
  for (int64_t i = 1; i <= radius; ++i) {
    const float* left = from + inside(border, -i, w) * c;
    const float* right = from + inside(border, w - 1 + i, w) * c;
    for (int64_t k = 0; k < c; ++k) {
      to[(radius - i) * c + k] = left[k];
      to[(radius + w - 1 + i) * c + k] = right[k];
    }
  }
}

// Weights exp(−i² / 2σ²) of distances first … last, divided by their sum.
std::vector<float> bell(double sigma, int64_t first, int64_t last) {
  std::vector<float> weights;
  double sum = 0;
  for (int64_t i = first; i <= last; ++i) {
    weights.push_back(exponential(static_cast<float>(-0.5 * static_cast<double>(i * i) / (sigma * sigma))));
    sum += weights.back();
  }
  for (float& weight : weights) weight = static_cast<float>(weight / sum);
  return weights;
}

}  // namespace

int64_t inside(Border border, int64_t i, int64_t n) {
  if (border == Border::nearest || n == 1) return std::clamp<int64_t>(i, 0, n - 1);
  const int64_t period = border == Border::reflect ? 2 * n : 2 * n - 2;
  int64_t place = i % period;
  if (place < 0) place += period;
  return place < n ? place : (border == Border::reflect ? period - 1 : period) - place;
}

Kernel gaussianKernel(double sigma, double truncate) {
  const auto radius = static_cast<int64_t>(truncate * sigma + 0.5);
  if (radius == 0) return {0, {1.f}};
  return {radius, bell(sigma, -radius, radius)};
}

int64_t blurScratch(const Kernel& kernel, Size size) { return size.values() + (size.w + 2 * kernel.radius) * size.c; }

void blur(const Kernel& kernel, Border border, Size size, const float* x, float* y, float* scratch) {
  const auto [h, w, c] = size;
  const int64_t radius = kernel.radius, row = w * c, taps = 2 * radius + 1;
  if (radius == 0) {
    if (x != y) std::memcpy(y, x, static_cast<size_t>(size.values()) * sizeof(float));
    return;
  }
  float* columns = scratch;
  float* padded = scratch + size.values();
  for (int64_t i = 0; i < h; ++i) {
    padRow(border, radius, w, c, x + i * row, padded);
    weightedRow(row, taps, kernel.weights.data(), c, padded, columns + i * row);
  }
  for (int64_t i = 0; i < h; ++i) {
    std::fill_n(y + i * row, row, 0.f);
    for (int64_t k = -radius; k <= radius; ++k) {
      addWeighted(row, kernel.weights[static_cast<size_t>(k + radius)], columns + inside(border, i + k, h) * row,
                  y + i * row);
    }
  }
}

int64_t correlateScratch(int64_t radius, Size size) { return size.h * (size.w + 2 * radius) * size.c; }

void correlate(const std::vector<Tap>& taps, int64_t radius, Border border, Size size, const float* x, float* y,
               float* scratch) {
  const auto [h, w, c] = size;
  const int64_t row = w * c, paddedRow = (w + 2 * radius) * c;
  for (int64_t i = 0; i < h; ++i) padRow(border, radius, w, c, x + i * row, scratch + i * paddedRow);
  for (int64_t i = 0; i < h; ++i) {
    std::fill_n(y + i * row, row, 0.f);
    for (const Tap& tap : taps) {
      const float* from = scratch + inside(border, i + tap.dy, h) * paddedRow + (radius + tap.dx) * c;
      addWeighted(row, tap.weight, from, y + i * row);
    }
  }
}

MotionKernel motionKernel(double radius, double sigma) {
  MotionKernel kernel{bell(sigma, 0, 2 * static_cast<int64_t>(std::ceil(radius)))};
  // What is left out is below half a unit in the last place of the sum.
  constexpr float kNegligible = 0x1p-26f;
  while (kernel.weights.back() < kNegligible) kernel.weights.pop_back();
  return kernel;
}

void motionBlur(const MotionKernel& kernel, double degrees, Size size, const float* x, float* y) {
  const auto [h, w, c] = size;
  const SineCosine direction = sineCosineOfDegrees(degrees);
  const int64_t row = w * c;
  std::fill_n(y, size.values(), 0.f);
  for (size_t step = 0; step < kernel.weights.size(); ++step) {
    const float weight = kernel.weights[step];
    const auto dx = static_cast<int64_t>(std::ceil(static_cast<float>(step) * direction.cosine - .5f));
    const auto dy = static_cast<int64_t>(std::ceil(static_cast<float>(step) * direction.sine - .5f));
    const int64_t first = std::clamp<int64_t>(-dx, 0, w), last = std::clamp<int64_t>(w - dx, first, w);
    for (int64_t i = 0; i < h; ++i) {
      const float* from = x + inside(Border::nearest, i + dy, h) * row;
      float* to = y + i * row;
      addWeighted((last - first) * c, weight, from + (first + dx) * c, to + first * c);
      for (int64_t j = 0; j < first * c; ++j) to[j] += weight * from[j % c];
      for (int64_t j = last * c; j < row; ++j) to[j] += weight * from[(w - 1) * c + j % c];
    }
  }
}

ZoomAxis zoomAxis(int64_t n, double factor, int64_t channels) {
  const auto middle = static_cast<int64_t>(std::ceil(static_cast<double>(n) / factor));
  const int64_t top = (n - middle) / 2;
  const auto enlarged = static_cast<int64_t>(std::nearbyint(static_cast<double>(middle) * factor));
  const int64_t cut = (enlarged - n) / 2;
  const double step = enlarged > 1 ? static_cast<double>(middle - 1) / static_cast<double>(enlarged - 1) : 0;
  ZoomAxis axis;
  for (int64_t i = 0; i < n; ++i) {
    const double at = std::clamp(static_cast<double>(cut + i) * step, 0.0, static_cast<double>(middle - 1));
    const auto low = static_cast<int64_t>(at);
    const int64_t below = top + low, above = top + std::min(low + 1, middle - 1);
    for (int64_t k = 0; k < channels; ++k) {
      axis.low.push_back(static_cast<int32_t>(below * channels + k));
      axis.high.push_back(static_cast<int32_t>(above * channels + k));
      axis.fraction.push_back(static_cast<float>(at - static_cast<double>(low)));
    }
  }
  return axis;
}

int64_t zoomScratch(Size size) { return size.w * size.c; }

void addZoomed(const ZoomAxis& rows, const ZoomAxis& columns, Size size, const float* x, float* y, float* scratch) {
  const auto [h, w, c] = size;
  const int64_t row = w * c;
  for (int64_t i = 0; i < h; ++i) {
    const auto at = static_cast<size_t>(i);
    mixRows(row, rows.fraction[at], x + rows.low[at] * row, x + rows.high[at] * row, scratch);
    addMixed(row, columns.low.data(), columns.high.data(), columns.fraction.data(), scratch, y + i * row);
  }
}

void sampleBilinear(Size size, const float* x, Border border, float row, float column, float* out) {
  const auto [h, w, c] = size;
  const float top = std::floor(row), left = std::floor(column);
  const float fy = row - top, fx = column - left;
  const int64_t i = static_cast<int64_t>(top), j = static_cast<int64_t>(left);
  const float* upper = x + inside(border, i, h) * w * c;
  const float* lower = x + inside(border, i + 1, h) * w * c;
  const int64_t a = inside(border, j, w) * c, b = inside(border, j + 1, w) * c;
  for (int64_t k = 0; k < c; ++k) {
    const float above = upper[a + k] + fx * (upper[b + k] - upper[a + k]);
    const float below = lower[a + k] + fx * (lower[b + k] - lower[a + k]);
    out[k] = above + fy * (below - above);
  }
}

}  // namespace faultline::image
