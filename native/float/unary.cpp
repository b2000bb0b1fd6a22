#include <cmath>

#include "float/elementwise.h"
#include "float/exponential.h"
#include "float/vectorize.h"

namespace faultline {
namespace {

// Each function with its derivative; y is value(x). NaN in, NaN out.
struct Relu {
  float value(float x) const { return x < 0.f ? 0.f : x; }
  float slope(float, float y) const { return y > 0.f ? 1.f : 0.f; }
};
struct Clip {
  float low, high;
  float value(float x) const {
    const float atLeast = x < low ? low : x;
    return atLeast > high ? high : atLeast;
  }
  float slope(float x, float) const { return x > low && x < high ? 1.f : 0.f; }
};
struct Sigmoid {
  float value(float x) const { return 1.f / (1.f + exponential(-x)); }
  float slope(float, float y) const { return y * (1.f - y); }
};
struct HardSigmoid {
  float alpha, beta;
  float value(float x) const {
    const float line = alpha * x + beta;
    const float atLeast = line < 0.f ? 0.f : line;
    return atLeast > 1.f ? 1.f : atLeast;
  }
  float slope(float, float y) const { return y > 0.f && y < 1.f ? alpha : 0.f; }
};
// x · hardSigmoid(x) with alpha = 1/6 and beta = 1/2.
struct HardSwish {
  static constexpr float kSixth = 1.f / 6.f;
  float value(float x) const { return x * HardSigmoid{kSixth, .5f}.value(x); }
  float slope(float x, float) const {
    const float gate = HardSigmoid{kSixth, .5f}.value(x);
    return gate + (gate > 0.f && gate < 1.f ? x * kSixth : 0.f);
  }
};
// x · Φ(x); Hendrycks & Gimpel, arXiv 1606.08415.
struct Gelu {
  static constexpr float kInverseRoot2 = 0.70710678118654752f;
  static constexpr float kInverseRoot2Pi = 0.39894228040143268f;
  float value(float x) const { return .5f * x * (1.f + std::erf(x * kInverseRoot2)); }
  float slope(float x, float) const {
    return .5f * (1.f + std::erf(x * kInverseRoot2)) + x * kInverseRoot2Pi * exponential(-.5f * x * x);
  }
};
// The same with tanh in place of erf: x · sigmoid(2 · √(2/π) · (x + 0.044715 x³)).
struct GeluTanh {
  static constexpr float kRoot = 1.5957691216057308f;  // 2 · √(2/π)
  static constexpr float kCubic = 0.044715f;
  float value(float x) const { return x * Sigmoid{}.value(kRoot * (x + kCubic * x * x * x)); }
  float slope(float x, float) const {
    const float gate = Sigmoid{}.value(kRoot * (x + kCubic * x * x * x));
    return gate + x * gate * (1.f - gate) * kRoot * (1.f + 3.f * kCubic * x * x);
  }
};
struct Scale {
  float factor, offset;
  float value(float x) const { return factor * x + offset; }
  float slope(float, float) const { return factor; }
};

struct SquareRoot {
  float value(float x) const { return __builtin_sqrtf(x); }
  float slope(float, float y) const { return .5f / y; }
};
struct Exponential {
  float value(float x) const { return exponential(x); }
  float slope(float, float y) const { return y; }
};
struct Logarithm {
  float value(float x) const { return std::log(x); }
  float slope(float x, float) const { return 1.f / x; }
};
struct Erf {
  static constexpr float kTwoInverseRootPi = 1.1283791670955126f;
  float value(float x) const { return std::erf(x); }
  float slope(float x, float) const { return kTwoInverseRootPi * exponential(-x * x); }
};
struct Tanh {
  float value(float x) const { return std::tanh(x); }
  float slope(float, float y) const { return 1.f - y * y; }
};
struct Absolute {
  float value(float x) const { return std::fabs(x); }
  float slope(float x, float) const { return x > 0.f ? 1.f : (x < 0.f ? -1.f : 0.f); }
};
struct Reciprocal {
  float value(float x) const { return 1.f / x; }
  float slope(float, float y) const { return -y * y; }
};
struct LeakyRelu {
  float alpha;
  float value(float x) const { return x < 0.f ? alpha * x : x; }
  float slope(float x, float) const { return x < 0.f ? alpha : 1.f; }
};
// alpha · (e^x − 1) below zero; Clevert et al., arXiv 1511.07289.
struct Elu {
  float alpha;
  float value(float x) const { return x < 0.f ? alpha * std::expm1(x) : x; }
  float slope(float x, float y) const { return x < 0.f ? y + alpha : 1.f; }
};
// ln(1 + e^x), as max(x, 0) + ln(1 + e^−|x|): no exponential overflows.
struct Softplus {
  float value(float x) const { return (x > 0.f ? x : 0.f) + std::log1p(exponential(-std::fabs(x))); }
  float slope(float x, float) const { return Sigmoid{}.value(x); }
};
struct Floor {
  float value(float x) const { return std::floor(x); }
  float slope(float, float) const { return 0.f; }
};
struct Ceil {
  float value(float x) const { return std::ceil(x); }
  float slope(float, float) const { return 0.f; }
};

template <typename F>
inline __attribute__((always_inline)) void values(F f, int64_t count, const float* x, float* y) {
  for (int64_t i = 0; i < count; ++i) y[i] = f.value(x[i]);
}
template <typename F>
inline __attribute__((always_inline)) void slopes(F f, int64_t count, const float* x, const float* y, const float* dy,
                                                  float* dx) {
  for (int64_t i = 0; i < count; ++i) dx[i] = dy[i] * f.slope(x[i], y[i]);
}

// Calls visit with the function object of that name.
template <typename Visit>
inline __attribute__((always_inline)) void with(Unary function, float p, float q, Visit&& visit) {
  switch (function) {
    case Unary::relu:
      return visit(Relu{});
    case Unary::clip:
      return visit(Clip{p, q});
    case Unary::sigmoid:
      return visit(Sigmoid{});
    case Unary::hardSigmoid:
      return visit(HardSigmoid{p, q});
    case Unary::hardSwish:
      return visit(HardSwish{});
    case Unary::gelu:
      return visit(Gelu{});
    case Unary::geluTanh:
      return visit(GeluTanh{});
    case Unary::scale:
      return visit(Scale{p, q});
    case Unary::sqrt:
      return visit(SquareRoot{});
    case Unary::exp:
      return visit(Exponential{});
    case Unary::log:
      return visit(Logarithm{});
    case Unary::erf:
      return visit(Erf{});
    case Unary::tanh:
      return visit(Tanh{});
    case Unary::abs:
      return visit(Absolute{});
    case Unary::reciprocal:
      return visit(Reciprocal{});
    case Unary::leakyRelu:
      return visit(LeakyRelu{p});
    case Unary::elu:
      return visit(Elu{p});
    case Unary::softplus:
      return visit(Softplus{});
    case Unary::floor:
      return visit(Floor{});
    case Unary::ceil:
      return visit(Ceil{});
  }
}

FAULTLINE_VECTORIZED void valuesOf(Unary function, float p, float q, int64_t count, const float* x, float* y) {
  with(
      function, p, q, [&](auto f) __attribute__((always_inline)) { values(f, count, x, y); });
}

FAULTLINE_VECTORIZED void slopesOf(Unary function, float p, float q, int64_t count, const float* x, const float* y,
                                   const float* dy, float* dx) {
  with(
      function, p, q, [&](auto f) __attribute__((always_inline)) { slopes(f, count, x, y, dy, dx); });
}

}  // namespace

void unary(Unary function, float p, float q, int64_t count, const float* x, float* y) {
  inPieces(count, kPiece, 1,
           [&](int64_t begin, int64_t end) { valuesOf(function, p, q, end - begin, x + begin, y + begin); });
}

void unaryBackward(Unary function, float p, float q, int64_t count, const float* x, const float* y, const float* dy,
                   float* dx) {
  inPieces(count, kPiece, 1, [&](int64_t begin, int64_t end) {
    slopesOf(function, p, q, end - begin, x + begin, y + begin, dy + begin, dx + begin);
  });
}

}  // namespace faultline
