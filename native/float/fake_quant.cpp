#include "float/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dispatch/dispatch.h"
#include "float/vectorize.h"
#include "quant/affine.h"

namespace faultline {
namespace {

// Codes between lo and hi, counted from the zero point.
struct Steps {
  float scale, lo, hi;
};

// The quotient rounds to fp32, then half to even: at 1.5 · 2^23 the spacing of floats is 1. Limits are whole, so that
// saturating first is the same.
FAULTLINE_VECTORIZED void quantizeDequantize(const float* x, int64_t n, Steps s, float* y) {
  constexpr float kSpacingOne = 0x1.8p23f;
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] / s.scale;
    v = v > s.lo ? v : s.lo;
    v = v < s.hi ? v : s.hi;
    y[i] = s.scale * ((v + kSpacingOne) - kSpacingOne);
  }
}

// Enough to look through at once in vectors before asking where it was.
constexpr int64_t kSearched = 256;

FAULTLINE_VECTORIZED int32_t firstEqual(const float* x, int64_t n, float value) {
  for (int64_t begin = 0; begin < n; begin += kSearched) {
    const int64_t end = std::min(n, begin + kSearched);
    int found = 0;
    for (int64_t i = begin; i < end; ++i) found |= x[i] == value;
    if (!found) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (x[i] == value) return static_cast<int32_t>(i);
    }
  }
  return -1;
}

// Σ dy · (y − x) and dx = dy in one pass. Lanes are summed in fp32 over a stretch, stretches in fp64: the order does
// not depend on the instruction set.
constexpr int64_t kLanes = 16;
constexpr int64_t kStretch = 64 * kLanes;

inline __attribute__((always_inline)) float stretch(const float* x, const float* y, const float* dy, int64_t n,
                                                    float* dx) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float g = dy[i + l];
      lanes[l] += g * (y[i + l] - x[i + l]);
      dx[i + l] = g;
    }
  }
  for (int64_t l = 0; i < n; ++i, ++l) {
    const float g = dy[i];
    lanes[l] += g * (y[i] - x[i]);
    dx[i] = g;
  }
  float sum = 0;
  for (int64_t l = 0; l < kLanes; ++l) sum += lanes[l];
  return sum;
}

FAULTLINE_VECTORIZED double passThrough(const float* x, const float* y, const float* dy, int64_t n, float* dx) {
  double sum = 0;
  for (int64_t at = 0; at < n; at += kStretch) {
    sum += stretch(x + at, y + at, dy + at, std::min(kStretch, n - at), dx + at);
  }
  return sum;
}

// fn(group, first element, elements) for every group.
template <typename Fn>
void forGroups(const FakeQuantShape& shape, Fn&& fn) {
  const int64_t perRow = shape.perRow();
  const int64_t length = std::min(shape.block, shape.n);
  inPieces(shape.groups(), std::max<int64_t>(1, kPiece / length), length, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      const int64_t start = g % perRow * shape.block;
      fn(g, g / perRow * shape.n + start, std::min(shape.block, shape.n - start));
    }
  });
}

}  // namespace

void fakeQuantize(const FakeQuantShape& shape, bool symmetric, int bits, const uint8_t* groupBits, const float* x,
                  float* y, const FakeQuantRanges& ranges) {
  forGroups(shape, [&](int64_t g, int64_t at, int64_t n) {
    float min = 0.0f, max = 0.0f;
    int32_t* extremes = ranges.extremes + 2 * g;
    extremes[0] = extremes[1] = -1;
    if (!kernels().scanRange(x + at, n, &min, &max)) {
      ranges.range[g] = 1.0f;
      std::fill_n(y + at, n, std::numeric_limits<float>::quiet_NaN());
      return;
    }
    const int width = groupBits ? groupBits[g] : bits;
    Steps steps{};
    if (symmetric) {
      const float limit = static_cast<float>(symmetricMax(width));
      steps = {chooseSymmetricScale(std::max(-min, max), width), -limit, limit};
      // One element sets the range: the larger, from above where both are as large.
      if (max >= -min) {
        min = 0.0f;
      } else {
        max = 0.0f;
      }
      ranges.range[g] = steps.scale * limit;
    } else {
      const AffineParams p = chooseAsymmetric(min, max, width);
      steps = {p.scale, static_cast<float>(-p.zeroPoint), static_cast<float>(p.qmax - p.zeroPoint)};
      ranges.range[g] = p.scale * static_cast<float>(p.qmax);
    }
    // Zero is in every range whether or not it is an element: an end at zero is set by none.
    if (min < 0.0f) extremes[0] = firstEqual(x + at, n, min);
    if (max > 0.0f) extremes[1] = firstEqual(x + at, n, max);
    quantizeDequantize(x + at, n, steps, y + at);
  });
}

void fakeQuantizeBackward(const FakeQuantShape& shape, const FakeQuantRanges& ranges, const float* x, const float* y,
                          const float* dy, float* dx) {
  forGroups(shape, [&](int64_t g, int64_t at, int64_t n) {
    const float change = static_cast<float>(passThrough(x + at, y + at, dy + at, n, dx + at) / ranges.range[g]);
    const int32_t* extremes = ranges.extremes + 2 * g;
    const int32_t below = extremes[0], above = extremes[1];
    if (below >= 0 && below < n) dx[at + below] -= change;
    if (above >= 0 && above < n) dx[at + above] += change;
  });
}

}  // namespace faultline
