#include "float/batch_norm.h"

#include <cmath>
#include <vector>

#include "float/vectorize.h"

namespace faultline {
namespace {

// Narrow tensors are read several rows at a time: a line of a whole number of rows, of about this many elements.
constexpr int64_t kLine = 64;
// Rows whose sums are kept in float32 before they go to float64: error stays near 2^-24 · √rows of a sum, and a piece
// of 64 channels stays in the first-level cache.
constexpr int64_t kSummedRows = 128;

// [rows, C] seen as lines of `repeat` rows, the last one shorter.
struct Lines {
  int64_t repeat, width;
  Lines(int64_t channels) : repeat(std::max<int64_t>(1, kLine / channels)), width(repeat * channels) {}
};

// repeat copies of values[C], one after the other.
std::vector<float> repeated(const float* values, int64_t channels, int64_t repeat) {
  std::vector<float> line(static_cast<size_t>(channels * repeat));
  for (int64_t i = 0; i < channels * repeat; ++i) line[static_cast<size_t>(i)] = values[i % channels];
  return line;
}

// sum[i % width] += x[i]
FAULTLINE_VECTORIZED void addLines(const float* __restrict x, int64_t count, int64_t width, float* __restrict sum) {
  for (; count >= width; count -= width, x += width) {
    for (int64_t i = 0; i < width; ++i) sum[i] += x[i];
  }
  for (int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

// sum[i % width] += (x[i] − mean[i % width])²
FAULTLINE_VECTORIZED void addSquares(const float* __restrict x, int64_t count, int64_t width,
                                     const float* __restrict mean, float* __restrict sum) {
  for (; count >= width; count -= width, x += width) {
    for (int64_t i = 0; i < width; ++i) sum[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
  }
  for (int64_t i = 0; i < count; ++i) sum[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
}

struct Lined {
  const float* factor;  // [width]
  const float* offset;  // [width]
};

template <bool residual, bool relu>
inline __attribute__((always_inline)) void normalizeLine(const float* __restrict x, const float* __restrict r,
                                                         int64_t count, Lined l, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) {
    float value = x[i] * l.factor[i] + l.offset[i];
    if constexpr (residual) value += r[i];
    if constexpr (relu) value = value < 0.f ? 0.f : value;  // NaN stays NaN
    y[i] = value;
  }
}

template <bool residual, bool relu>
inline __attribute__((always_inline)) void normalizeLines(const float* x, const float* r, int64_t count, int64_t width,
                                                          Lined l, float* y) {
  int64_t i = 0;
  for (; i + width <= count; i += width) normalizeLine<residual, relu>(x + i, residual ? r + i : r, width, l, y + i);
  normalizeLine<residual, relu>(x + i, residual ? r + i : r, count - i, l, y + i);
}

FAULTLINE_VECTORIZED void normalize(const float* x, const float* r, bool relu, int64_t count, int64_t width, Lined l,
                                    float* y) {
  if (r && relu) return normalizeLines<true, true>(x, r, count, width, l, y);
  if (r) return normalizeLines<true, false>(x, r, count, width, l, y);
  if (relu) return normalizeLines<false, true>(x, r, count, width, l, y);
  normalizeLines<false, false>(x, r, count, width, l, y);
}

// How a gradient determines what passed the ReLU: from the result, or, where nothing was added before the ReLU, from
// the normalized input, which is one tensor less to read.
enum class Mask { none, result, input };

// dy where the ReLU let through, else 0.
template <Mask mask>
inline __attribute__((always_inline)) float passed(float dy, float y, float x, float factor, float offset) {
  if constexpr (mask == Mask::result) return y > 0.f ? dy : 0.f;
  if constexpr (mask == Mask::input) return x * factor + offset > 0.f ? dy : 0.f;
  return dy;
}

// g = dy where the ReLU let through, else 0; sums of g and of g · (x − mean).
template <Mask mask, bool keep>
inline __attribute__((always_inline)) void gradientSumsOf(const float* __restrict x, const float* __restrict y,
                                                          const float* dy, int64_t count, int64_t width, Lined l,
                                                          const float* __restrict mean, float* g, float* __restrict sum,
                                                          float* __restrict product) {
  for (int64_t at = 0; at < count; at += width) {
    const int64_t end = std::min(width, count - at);
    for (int64_t i = 0; i < end; ++i) {
      const float result = mask == Mask::result ? y[at + i] : 0.f;
      const float gradient = passed<mask>(dy[at + i], result, x[at + i], l.factor[i], l.offset[i]);
      if constexpr (keep) g[at + i] = gradient;
      sum[i] += gradient;
      product[i] += gradient * (x[at + i] - mean[i]);
    }
  }
}

FAULTLINE_VECTORIZED void gradientSums(const float* x, const float* y, const float* dy, int64_t count, int64_t width,
                                       Lined l, const float* mean, Mask mask, float* g, float* sum, float* product) {
  const bool keep = g && g != dy;
  if (mask == Mask::result && g) {
    return gradientSumsOf<Mask::result, true>(x, y, dy, count, width, l, mean, g, sum, product);
  }
  if (mask == Mask::result) {
    return gradientSumsOf<Mask::result, false>(x, y, dy, count, width, l, mean, g, sum, product);
  }
  if (mask == Mask::input) {
    return gradientSumsOf<Mask::input, false>(x, y, dy, count, width, l, mean, g, sum, product);
  }
  if (keep) return gradientSumsOf<Mask::none, true>(x, y, dy, count, width, l, mean, g, sum, product);
  gradientSumsOf<Mask::none, false>(x, y, dy, count, width, l, mean, g, sum, product);
}

// dx = factor · g + slope · x + offset, per channel.
struct Applied {
  const float* factor;
  const float* slope;
  const float* offset;
};

template <Mask mask>
inline __attribute__((always_inline)) void applyGradientOf(const float* __restrict x, const float* __restrict y,
                                                           const float* __restrict dy, int64_t count, int64_t width,
                                                           Lined l, Applied a, float* __restrict dx) {
  for (int64_t at = 0; at < count; at += width) {
    const int64_t end = std::min(width, count - at);
    for (int64_t i = 0; i < end; ++i) {
      const float result = mask == Mask::result ? y[at + i] : 0.f;
      const float gradient = passed<mask>(dy[at + i], result, x[at + i], l.factor[i], l.offset[i]);
      dx[at + i] = a.factor[i] * gradient + (a.slope[i] * x[at + i] + a.offset[i]);
    }
  }
}

FAULTLINE_VECTORIZED void applyGradient(const float* x, const float* y, const float* dy, int64_t count, int64_t width,
                                        Lined l, Mask mask, Applied a, float* dx) {
  if (mask == Mask::result) return applyGradientOf<Mask::result>(x, y, dy, count, width, l, a, dx);
  if (mask == Mask::input) return applyGradientOf<Mask::input>(x, y, dy, count, width, l, a, dx);
  applyGradientOf<Mask::none>(x, y, dy, count, width, l, a, dx);
}

// Rows of a piece: whole lines.
int64_t pieceRows(const Lines& lines) { return (kSummedRows + lines.repeat - 1) / lines.repeat * lines.repeat; }

// Sums a line of partial sums into one value a channel.
void foldLine(const float* line, const Lines& lines, int64_t channels, double* sums) {
  for (int64_t c = 0; c < channels; ++c) sums[c] = 0;
  for (int64_t i = 0; i < lines.width; ++i) sums[i % channels] += line[i];
}

// What normalization multiplies by and adds, by line.
struct Normalizer {
  std::vector<float> factors, offsets;
  Normalizer(const BatchNormArgs& a, const float* mean, const float* variance, const Lines& lines) {
    std::vector<float> factor(static_cast<size_t>(a.channels)), offset(factor.size());
    for (size_t c = 0; c < factor.size(); ++c) {
      const double f = static_cast<double>(a.scale[c]) / std::sqrt(static_cast<double>(variance[c]) + a.epsilon);
      factor[c] = static_cast<float>(f);
      offset[c] = static_cast<float>(a.shift[c] - mean[c] * static_cast<double>(factor[c]));
    }
    factors = repeated(factor.data(), a.channels, lines.repeat);
    offsets = repeated(offset.data(), a.channels, lines.repeat);
  }
  Lined lined() const { return {factors.data(), offsets.data()}; }
};

}  // namespace

void batchStatistics(int64_t rows, int64_t channels, const float* x, float* mean, float* variance) {
  const Lines lines(channels);
  const int64_t step = pieceRows(lines);
  const int64_t pieces = (rows + step - 1) / step;
  const size_t width = static_cast<size_t>(channels);
  // For every piece its mean and the squares around it: no cancellation, whatever the mean is.
  std::vector<double> means(static_cast<size_t>(pieces) * width), squares(means.size());
  inPieces(rows, step, channels, [&](int64_t begin, int64_t end) {
    std::vector<float> sum(static_cast<size_t>(lines.width));
    const size_t at = static_cast<size_t>(begin / step) * width;
    addLines(x + begin * channels, (end - begin) * channels, lines.width, sum.data());
    foldLine(sum.data(), lines, channels, &means[at]);
    std::vector<float> center(width);
    for (size_t c = 0; c < width; ++c) {
      means[at + c] /= static_cast<double>(end - begin);
      center[c] = static_cast<float>(means[at + c]);
    }
    const std::vector<float> line = repeated(center.data(), channels, lines.repeat);
    std::fill(sum.begin(), sum.end(), 0.f);
    addSquares(x + begin * channels, (end - begin) * channels, lines.width, line.data(), sum.data());
    foldLine(sum.data(), lines, channels, &squares[at]);
    // The squares were taken around the mean as float32 has it.
    for (size_t c = 0; c < width; ++c) {
      const double rounding = means[at + c] - center[c];
      squares[at + c] = std::max(0., squares[at + c] - rounding * rounding * static_cast<double>(end - begin));
    }
  });
  for (size_t c = 0; c < width; ++c) {
    double count = 0, center = 0, spread = 0;
    for (int64_t p = 0; p < pieces; ++p) {  // Chan, Golub & LeVeque's pairwise update
      const double n = static_cast<double>(std::min(step, rows - p * step));
      const double delta = means[static_cast<size_t>(p) * width + c] - center;
      spread += squares[static_cast<size_t>(p) * width + c] + delta * delta * count * n / (count + n);
      center += delta * n / (count + n);
      count += n;
    }
    mean[c] = static_cast<float>(center);
    variance[c] = static_cast<float>(spread / count);
  }
}

void batchNorm(const BatchNormArgs& a, const float* mean, const float* variance, float* y) {
  const Lines lines(a.channels);
  const Normalizer n(a, mean, variance, lines);
  const int64_t step = pieceRows(lines);
  inPieces(a.rows, step, a.channels, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * a.channels;
    normalize(a.x + at, a.residual ? a.residual + at : nullptr, a.relu, (end - begin) * a.channels, lines.width,
              n.lined(), y + at);
  });
}

void batchNormBackward(const BatchNormArgs& a, const float* mean, const float* variance, bool training,
                       const BatchNormGradients& g) {
  const Lines lines(a.channels);
  const int64_t step = pieceRows(lines);
  const int64_t pieces = (a.rows + step - 1) / step;
  const size_t width = static_cast<size_t>(a.channels);
  std::vector<double> sums(static_cast<size_t>(pieces) * width), products(sums.size());
  const auto means = repeated(mean, a.channels, lines.repeat);
  const Normalizer n(a, mean, variance, lines);
  const Mask mask = !a.relu ? Mask::none : g.y ? Mask::result : Mask::input;
  // With a residual the masked gradient is stored on the way, and the second pass reads it without the mask.
  inPieces(a.rows, step, a.channels, [&](int64_t begin, int64_t end) {
    std::vector<float> sum(static_cast<size_t>(lines.width)), product(sum.size());
    const int64_t at = begin * a.channels;
    gradientSums(a.x + at, mask == Mask::result ? g.y + at : nullptr, g.dy + at, (end - begin) * a.channels,
                 lines.width, n.lined(), means.data(), mask, g.dResidual ? g.dResidual + at : nullptr, sum.data(),
                 product.data());
    foldLine(sum.data(), lines, a.channels, &sums[static_cast<size_t>(begin / step) * width]);
    foldLine(product.data(), lines, a.channels, &products[static_cast<size_t>(begin / step) * width]);
  });
  std::vector<float> factor(width), slope(width), offset(width);
  const double count = static_cast<double>(a.rows);
  for (size_t c = 0; c < width; ++c) {
    double sum = 0, product = 0;
    for (int64_t p = 0; p < pieces; ++p) {
      sum += sums[static_cast<size_t>(p) * width + c];
      product += products[static_cast<size_t>(p) * width + c];
    }
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[c]) + a.epsilon);
    g.dShift[c] = static_cast<float>(sum);
    g.dScale[c] = static_cast<float>(product * inverse);
    // dx = scale · inverse · (g − mean(g) − x̂ · mean(g · x̂)), x̂ = (x − mean) · inverse
    const double f = a.scale[c] * inverse;
    const double s = training ? -f * inverse * inverse * product / count : 0;
    factor[c] = static_cast<float>(f);
    slope[c] = static_cast<float>(s);
    offset[c] = static_cast<float>(training ? -f * sum / count - s * mean[c] : 0);
  }
  if (g.dx == nullptr) return;
  const auto factors = repeated(factor.data(), a.channels, lines.repeat);
  const auto slopes = repeated(slope.data(), a.channels, lines.repeat);
  const auto offsets = repeated(offset.data(), a.channels, lines.repeat);
  const float* masked = g.dResidual ? g.dResidual : g.dy;
  const Mask left = g.dResidual ? Mask::none : mask;
  const Applied applied{factors.data(), slopes.data(), offsets.data()};
  inPieces(a.rows, step, a.channels, [&](int64_t begin, int64_t end) {
    const int64_t at = begin * a.channels;
    applyGradient(a.x + at, left == Mask::result ? g.y + at : nullptr, masked + at, (end - begin) * a.channels,
                  lines.width, n.lined(), left, applied, g.dx + at);
  });
}

}  // namespace faultline
