// What lies between the products of a network, in fp32: functions of one and of two values, copies between layouts,
// pools, and the score of logits. One thread an output, in the CPU's sequence of operations (float/unary.cpp,
// float/binary.cpp, float/pool.cpp), so that the bits are the same. Functions that the CPU takes from the C library
// (log, erf, tanh, pow, …) are not here: they have no defined sequence.
#pragma once

#include "abi/codes.h"
#include "cuda/warp.h"

namespace faultline::cuda {

// Functions that the device has; the others are the host's.
constexpr bool isOnDevice(Unary function) {
  switch (function) {
    case Unary::gelu:
    case Unary::log:
    case Unary::erf:
    case Unary::tanh:
    case Unary::elu:
    case Unary::softplus:
    case Unary::floor:
    case Unary::ceil:
      return false;
    default:
      return true;
  }
}
constexpr bool isOnDevice(Binary function) { return function != Binary::pow; }

// float/exponential.h, operation by operation.
FAULTLINE_DEVICE float exponential(float x) {
  constexpr float kLargest = 88.72283f, kSmallest = -103.972f, kInverseLn2 = 1.44269504f;
  constexpr float kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f, kRound = 12582912.f;
  const float clamped = x > kLargest ? kLargest : (x < kSmallest ? kSmallest : x);
  const float n = subtract(add(multiply(clamped, kInverseLn2), kRound), kRound);
  const float r = subtract(subtract(clamped, multiply(n, kLn2High)), multiply(n, kLn2Low));
  float p = 1.f / 5040.f;
  p = add(multiply(p, r), 1.f / 720.f);
  p = add(multiply(p, r), 1.f / 120.f);
  p = add(multiply(p, r), 1.f / 24.f);
  p = add(multiply(p, r), 1.f / 6.f);
  p = add(multiply(p, r), .5f);
  p = add(multiply(p, r), 1.f);
  p = add(multiply(p, r), 1.f);
  const int32_t whole = truncate(n == n ? n : 0.f);
  const int32_t half = whole >> 1;
  const float result = multiply(multiply(p, asFloat((half + 127) << 23)), asFloat((whole - half + 127) << 23));
  return x > kLargest ? asFloat(0x7f800000) : result;
}

FAULTLINE_DEVICE float sigmoid(float x) { return divide(1.f, add(1.f, exponential(-x))); }
FAULTLINE_DEVICE float hardSigmoid(float x, float alpha, float beta) {
  const float line = add(multiply(alpha, x), beta);
  const float atLeast = line < 0.f ? 0.f : line;
  return atLeast > 1.f ? 1.f : atLeast;
}

FAULTLINE_DEVICE float unaryValue(Unary function, float p, float q, float x) {
  switch (function) {
    case Unary::relu:
      return x < 0.f ? 0.f : x;
    case Unary::clip: {
      const float atLeast = x < p ? p : x;
      return atLeast > q ? q : atLeast;
    }
    case Unary::sigmoid:
      return sigmoid(x);
    case Unary::hardSigmoid:
      return hardSigmoid(x, p, q);
    case Unary::hardSwish:
      return multiply(x, hardSigmoid(x, 1.f / 6.f, .5f));
    case Unary::geluTanh: {
      constexpr float kRoot = 1.5957691216057308f, kCubic = 0.044715f;
      const float cube = multiply(multiply(multiply(kCubic, x), x), x);
      return multiply(x, sigmoid(multiply(kRoot, add(x, cube))));
    }
    case Unary::scale:
      return add(multiply(p, x), q);
    case Unary::sqrt:
      return squareRoot(x);
    case Unary::exp:
      return exponential(x);
    case Unary::abs:
      return fabsf(x);
    case Unary::reciprocal:
      return divide(1.f, x);
    case Unary::leakyRelu:
      return x < 0.f ? multiply(p, x) : x;
    default:
      return x;
  }
}

FAULTLINE_DEVICE float binaryValue(Binary function, float a, float b) {
  switch (function) {
    case Binary::add:
      return add(a, b);
    case Binary::sub:
      return subtract(a, b);
    case Binary::mul:
      return multiply(a, b);
    case Binary::div:
      return divide(a, b);
    case Binary::addRelu: {
      const float sum = add(a, b);
      return sum < 0.f ? 0.f : sum;
    }
    case Binary::min:
      return a < b || a != a ? a : b;
    case Binary::max:
      return a > b || a != a ? a : b;
    default:
      return a;
  }
}

// One thread an item.
struct PerItem {
  static constexpr int kThreads = 256;
  static constexpr bool kIndependent = true;
  static constexpr int kSharedBytes = 0;
  static FAULTLINE_DEVICE int64_t item(const Cta& cta) { return static_cast<int64_t>(cta.x) * kThreads + cta.thread; }
};

// y[i] = f(x[i]); y may be x.
struct UnaryKernel : PerItem {
  struct Params {
    Unary function;
    float p, q;
    const float* x;
    float* y;
    int64_t count;
  };
  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t i = item(cta);
    if (i < p.count) p.y[i] = unaryValue(p.function, p.p, p.q, p.x[i]);
  }
};

// Over up to eight axes, the last one fastest; element strides of two operands, 0 along an axis that one broadcasts
// over.
struct DeviceWalk {
  int32_t rank = 0;
  int32_t dims[kMaxAxes] = {};
  int32_t first[kMaxAxes] = {};
  int32_t second[kMaxAxes] = {};
  int64_t count = 1;

  FAULTLINE_DEVICE void offsets(int64_t i, int64_t* a, int64_t* b) const {
    *a = *b = 0;
    for (int axis = rank - 1; axis > 0; --axis) {
      const int64_t at = i % dims[axis];
      i /= dims[axis];
      *a += at * first[axis];
      *b += at * second[axis];
    }
    if (rank > 0) {
      *a += i * first[0];
      *b += i * second[0];
    }
  }
};

// y[i] = f(a[…], b[…]), y contiguous.
struct BinaryKernel : PerItem {
  struct Params {
    Binary function;
    DeviceWalk walk;
    const float* a;
    const float* b;
    float* y;
  };
  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t i = item(cta);
    if (i >= p.walk.count) return;
    int64_t a, b;
    p.walk.offsets(i, &a, &b);
    p.y[i] = binaryValue(p.function, p.a[a], p.b[b]);
  }
};

// y[…] = x[…]
struct CopyKernel : PerItem {
  struct Params {
    DeviceWalk walk;  // strides of x, of y
    const float* x;
    float* y;
  };
  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t i = item(cta);
    if (i >= p.walk.count) return;
    int64_t x, y;
    p.walk.offsets(i, &x, &y);
    p.y[y] = p.x[x];
  }
};

struct PoolShape {
  int32_t n, h, w, c, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH,
      dilationW;
};

// Pools of images [n, h, w, c].
struct PoolKernel : PerItem {
  struct Params {
    PoolKind kind;
    PoolShape shape;
    const float* x;
    float* y;
    int64_t count;  // n · outH · outW · c
  };

  // How many places of a window along an axis count in the mean.
  static FAULTLINE_DEVICE int32_t places(int64_t start, int32_t kernel, int32_t dilation, int64_t low, int64_t high) {
    int32_t count = 0;
    for (int32_t k = 0; k < kernel; ++k) {
      const int64_t i = start + static_cast<int64_t>(k) * dilation;
      count += i >= low && i < high;
    }
    return count;
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t item = PerItem::item(cta);
    if (item >= p.count) return;
    const PoolShape& s = p.shape;
    const int64_t channel = item % s.c;
    int64_t rest = item / s.c;
    const int64_t left = rest % s.outW * s.strideW - s.padLeft;
    rest /= s.outW;
    const int64_t top = rest % s.outH * s.strideH - s.padTop;
    const float* x = p.x + rest / s.outH * s.h * s.w * s.c + channel;
    const bool largest = p.kind == PoolKind::largest;
    float y = largest ? -asFloat(0x7f800000) : 0.f;
    for (int32_t kh = 0; kh < s.kernelH; ++kh) {
      const int64_t ih = top + static_cast<int64_t>(kh) * s.dilationH;
      if (ih < 0 || ih >= s.h) continue;
      for (int32_t kw = 0; kw < s.kernelW; ++kw) {
        const int64_t iw = left + static_cast<int64_t>(kw) * s.dilationW;
        if (iw < 0 || iw >= s.w) continue;
        const float v = x[(ih * s.w + iw) * s.c];
        if (largest) {
          y = v > y || v != v ? v : y;  // NaN wins
        } else {
          y = add(y, v);
        }
      }
    }
    if (!largest) {
      const bool padding = p.kind == PoolKind::meanWithPadding;
      const int32_t rows =
          places(top, s.kernelH, s.dilationH, padding ? -s.padTop : 0, s.h + (padding ? s.padBottom : 0));
      const int32_t columns =
          places(left, s.kernelW, s.dilationW, padding ? -s.padLeft : 0, s.w + (padding ? s.padRight : 0));
      y = multiply(y, rows * columns > 0 ? divide(1.f, toFloat(rows * columns)) : 0.f);
    }
    p.y[item] = y;
  }
};

// counts[0] += rows whose class (the first of the largest logits) is that of labels, counts[1]: that of reference.
struct ScoreKernel : PerItem {
  static constexpr bool kIndependent = false;
  struct Params {
    const float* logits;  // [rows, classes]
    int64_t rows;
    int32_t classes;
    const int32_t* labels;     // [rows], optional
    const int32_t* reference;  // [rows], optional
    int32_t* counts;           // [2]
  };
  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t row = item(cta);
    int32_t correct = 0, agreeing = 0;
    if (row < p.rows) {
      const float* logits = p.logits + row * p.classes;
      int32_t best = 0;
      for (int32_t i = 1; i < p.classes; ++i) best = logits[i] > logits[best] ? i : best;
      correct = p.labels && p.labels[row] == best;
      agreeing = p.reference && p.reference[row] == best;
    }
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      correct += shuffleXor(correct, mask);
      agreeing += shuffleXor(agreeing, mask);
    }
    if (cta.lane() != 0) return;
    if (correct > 0) atomicSum(p.counts, correct);
    if (agreeing > 0) atomicSum(p.counts + 1, agreeing);
  }
};

}  // namespace faultline::cuda
