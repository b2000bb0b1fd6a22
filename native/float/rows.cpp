#include "float/rows.h"

#include <cmath>
#include <vector>

#include "float/exponential.h"
#include "float/vectorize.h"

namespace faultline {
namespace {

int64_t rowsPerPiece(int64_t n) { return std::max<int64_t>(1, kPiece / std::max<int64_t>(1, n)); }

float largest(const float* x, int64_t n) {
  float most = x[0];
  for (int64_t i = 1; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// y = exp(x − most); the sum in float64.
FAULTLINE_VECTORIZED void exponentials(const float* x, int64_t n, float most, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = exponential(x[i] - most);
}

double sumOf(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

}  // namespace

void softmax(int64_t rows, int64_t n, const float* x, float* y) {
  inPieces(rows, rowsPerPiece(n), n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      exponentials(x + r * n, n, largest(x + r * n, n), y + r * n);
      const float inverse = static_cast<float>(1 / sumOf(y + r * n, n));
      for (int64_t i = 0; i < n; ++i) y[r * n + i] *= inverse;
    }
  });
}

void softmaxBackward(int64_t rows, int64_t n, const float* y, const float* dy, float* dx) {
  inPieces(rows, rowsPerPiece(n), n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      double dot = 0;
      for (int64_t i = r * n; i < (r + 1) * n; ++i) dot += static_cast<double>(y[i]) * dy[i];
      const float sum = static_cast<float>(dot);
      for (int64_t i = r * n; i < (r + 1) * n; ++i) dx[i] = y[i] * (dy[i] - sum);
    }
  });
}

void layerNorm(int64_t rows, int64_t n, float epsilon, const float* x, const float* scale, const float* shift, float* y,
               float* mean, float* inverse) {
  inPieces(rows, rowsPerPiece(n), n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* from = x + r * n;
      const double center = sumOf(from, n) / static_cast<double>(n);
      double squares = 0;
      for (int64_t i = 0; i < n; ++i) squares += (from[i] - center) * (from[i] - center);
      mean[r] = static_cast<float>(center);
      inverse[r] = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(n) + epsilon));
      for (int64_t i = 0; i < n; ++i) {
        y[r * n + i] = (from[i] - mean[r]) * inverse[r] * scale[i] + (shift ? shift[i] : 0.f);
      }
    }
  });
}

void layerNormBackward(int64_t rows, int64_t n, const float* x, const float* scale, const float* mean,
                       const float* inverse, const float* dy, float* dx, float* dScale, float* dShift) {
  const int64_t step = rowsPerPiece(n);
  const size_t pieces = static_cast<size_t>((rows + step - 1) / step), width = static_cast<size_t>(n);
  std::vector<double> scales(pieces * width), shifts(pieces * width);
  inPieces(rows, step, n, [&](int64_t begin, int64_t end) {
    double* scaleSum = scales.data() + static_cast<size_t>(begin / step) * width;
    double* shiftSum = shifts.data() + static_cast<size_t>(begin / step) * width;
    for (int64_t r = begin; r < end; ++r) {
      const float* from = x + r * n;
      const float* g = dy + r * n;
      double sum = 0, product = 0;  // of g · scale, and of that with x̂
      for (int64_t i = 0; i < n; ++i) {
        const float normal = (from[i] - mean[r]) * inverse[r];
        scaleSum[i] += static_cast<double>(g[i]) * normal;
        shiftSum[i] += g[i];
        sum += static_cast<double>(g[i]) * scale[i];
        product += static_cast<double>(g[i]) * scale[i] * normal;
      }
      const float a = static_cast<float>(sum / static_cast<double>(n));
      const float b = static_cast<float>(product / static_cast<double>(n));
      for (int64_t i = 0; i < n; ++i) {
        const float normal = (from[i] - mean[r]) * inverse[r];
        dx[r * n + i] = inverse[r] * (g[i] * scale[i] - a - normal * b);
      }
    }
  });
  for (size_t i = 0; i < width; ++i) {
    double scaleTotal = 0, shiftTotal = 0;
    for (size_t p = 0; p < pieces; ++p) {
      scaleTotal += scales[p * width + i];
      shiftTotal += shifts[p * width + i];
    }
    dScale[i] = static_cast<float>(scaleTotal);
    dShift[i] = static_cast<float>(shiftTotal);
  }
}

CrossEntropy crossEntropy(int64_t rows, int64_t n, const float* x, const int32_t* labels, float smoothing, float* dx) {
  CrossEntropy result{0, 0};
  std::vector<float> e(static_cast<size_t>(n));
  const double even = smoothing / static_cast<double>(n);
  for (int64_t r = 0; r < rows; ++r) {
    const float* logits = x + r * n;
    const int32_t label = labels[r];
    const float most = largest(logits, n);
    exponentials(logits, n, most, e.data());
    const double sum = sumOf(e.data(), n);
    const double logSum = std::log(sum) + most;
    double total = 0;
    for (int64_t i = 0; i < n; ++i) total += logits[i];
    result.loss += logSum - (1 - smoothing) * logits[label] - even * total;
    int64_t first = 0;
    for (int64_t i = 1; i < n; ++i) first = logits[i] > logits[first] ? i : first;
    result.correct += first == label;
    if (dx == nullptr) continue;
    for (int64_t i = 0; i < n; ++i) {
      const double target = even + (i == label ? 1 - smoothing : 0);
      dx[r * n + i] = static_cast<float>((static_cast<double>(e[static_cast<size_t>(i)]) / sum - target) /
                                         static_cast<double>(rows));
    }
  }
  result.loss /= static_cast<double>(rows);
  return result;
}

void gather(int64_t outer, int64_t axis, int64_t inner, int64_t count, const int32_t* index, const float* x, float* y) {
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(x + (o * axis + index[i]) * inner, inner, y + (o * count + i) * inner);
    }
  }
}

void gatherBackward(int64_t outer, int64_t axis, int64_t inner, int64_t count, const int32_t* index, const float* dy,
                    float* dx) {
  std::fill_n(dx, outer * axis * inner, 0.f);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < count; ++i) {
      const float* from = dy + (o * count + i) * inner;
      float* to = dx + (o * axis + index[i]) * inner;
      for (int64_t j = 0; j < inner; ++j) to[j] += from[j];
    }
  }
}

}  // namespace faultline
