#include <cmath>
#include <vector>

#include "float/elementwise.h"
#include "float/vectorize.h"

namespace faultline {
namespace {

// Offsets of the rows (all axes but the last) of a walk for up to two operands.
class Rows {
 public:
  explicit Rows(const Walk& walk) : walk_(walk) {
    for (int axis = 0; axis + 1 < walk.rank; ++axis) count_ *= walk.dims[axis];
  }
  int64_t count() const { return count_; }
  int64_t length() const { return walk_.rank == 0 ? 1 : walk_.dims[walk_.rank - 1]; }
  int64_t offset(int64_t row, const int64_t* strides) const {
    int64_t at = 0;
    for (int axis = walk_.rank - 2; axis >= 0; --axis) {
      at += row % walk_.dims[axis] * strides[axis];
      row /= walk_.dims[axis];
    }
    return at;
  }
  int64_t inner(const int64_t* strides) const { return walk_.rank == 0 ? 0 : strides[walk_.rank - 1]; }

 private:
  const Walk& walk_;
  int64_t count_ = 1;
};

struct Add {
  static float of(float a, float b) { return a + b; }
};
struct Sub {
  static float of(float a, float b) { return a - b; }
};
struct Mul {
  static float of(float a, float b) { return a * b; }
};
struct Div {
  static float of(float a, float b) { return a / b; }
};
struct AddRelu {
  static float of(float a, float b) { return a + b < 0.f ? 0.f : a + b; }
};

struct Power {
  static float of(float a, float b) { return std::pow(a, b); }
};
// NaN in, NaN out.
struct Least {
  static float of(float a, float b) { return a < b || a != a ? a : b; }
};
struct Most {
  static float of(float a, float b) { return a > b || a != a ? a : b; }
};

template <typename F>
inline __attribute__((always_inline)) void rowOf(int64_t count, const float* a, int64_t as, const float* b, int64_t bs,
                                                 float* y) {
  if (as == 1 && bs == 1) {
    for (int64_t i = 0; i < count; ++i) y[i] = F::of(a[i], b[i]);
  } else if (as == 1 && bs == 0) {
    for (int64_t i = 0; i < count; ++i) y[i] = F::of(a[i], b[0]);
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = F::of(a[i * as], b[i * bs]);
  }
}

FAULTLINE_VECTORIZED void row(Binary function, int64_t count, const float* a, int64_t as, const float* b, int64_t bs,
                              float* y) {
  switch (function) {
    case Binary::add:
      return rowOf<Add>(count, a, as, b, bs, y);
    case Binary::sub:
      return rowOf<Sub>(count, a, as, b, bs, y);
    case Binary::mul:
      return rowOf<Mul>(count, a, as, b, bs, y);
    case Binary::div:
      return rowOf<Div>(count, a, as, b, bs, y);
    case Binary::addRelu:
      return rowOf<AddRelu>(count, a, as, b, bs, y);
    case Binary::pow:
      return rowOf<Power>(count, a, as, b, bs, y);
    case Binary::min:
      return rowOf<Least>(count, a, as, b, bs, y);
    case Binary::max:
      return rowOf<Most>(count, a, as, b, bs, y);
  }
}

FAULTLINE_VECTORIZED void addScaledRange(int64_t count, float factor, const float* x, float* y) {
  for (int64_t i = 0; i < count; ++i) y[i] += factor * x[i];
}

// True when a value of the range is not finite: x · 0 is 0 for finite values, NaN for the others.
FAULTLINE_VECTORIZED bool anyNonFinite(int64_t count, const float* x) {
  int bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= !(x[i] * 0.f == 0.f);
  return bad != 0;
}

}  // namespace

void binary(Binary function, const Walk& walk, const int64_t* aStrides, const int64_t* bStrides, const float* a,
            const float* b, float* y) {
  const Rows rows(walk);
  const int64_t length = rows.length();
  if (rows.count() == 1) {
    const int64_t as = rows.inner(aStrides), bs = rows.inner(bStrides);
    inPieces(length, kPiece, 1, [&](int64_t begin, int64_t end) {
      row(function, end - begin, a + begin * as, as, b + begin * bs, bs, y + begin);
    });
    return;
  }
  inPieces(rows.count(), std::max<int64_t>(1, kPiece / std::max<int64_t>(1, length)), length,
           [&](int64_t begin, int64_t end) {
             for (int64_t r = begin; r < end; ++r) {
               row(function, length, a + rows.offset(r, aStrides), rows.inner(aStrides), b + rows.offset(r, bStrides),
                   rows.inner(bStrides), y + r * length);
             }
           });
}

void reduceSum(const Walk& walk, const int64_t* yStrides, double factor, const float* x, int64_t size, float* y) {
  // Rows are cut into a number of pieces that the shape alone decides; each sums into a separate array.
  constexpr int64_t kMostPieces = 64;
  const Rows rows(walk);
  const int64_t length = rows.length(), inner = rows.inner(yStrides);
  const int64_t least = std::max<int64_t>(1, kPiece / std::max<int64_t>(1, length));
  const int64_t most =
      std::max<int64_t>(1, std::min(kMostPieces, rows.count() * length / std::max<int64_t>(1, 4 * size)));
  const int64_t step = std::max(least, (rows.count() + most - 1) / most);
  const int64_t pieces = (rows.count() + step - 1) / step;
  std::vector<double> sums(static_cast<size_t>(pieces * size));
  inPieces(rows.count(), step, length, [&](int64_t begin, int64_t end) {
    double* sum = sums.data() + begin / step * size;
    for (int64_t r = begin; r < end; ++r) {
      const float* from = x + r * length;
      double* to = sum + rows.offset(r, yStrides);
      if (inner == 0) {
        double total = 0;
        for (int64_t i = 0; i < length; ++i) total += from[i];
        *to += total;
      } else {
        for (int64_t i = 0; i < length; ++i) to[i * inner] += from[i];
      }
    }
  });
  for (int64_t i = 0; i < size; ++i) {
    double total = 0;
    for (int64_t p = 0; p < pieces; ++p) total += sums[static_cast<size_t>(p * size + i)];
    y[i] = static_cast<float>(factor * total);
  }
}

void copyStrided(const Walk& walk, const int64_t* xStrides, int64_t xStart, const int64_t* yStrides, int64_t yStart,
                 bool accumulate, const float* x, float* y) {
  const Rows rows(walk);
  const int64_t length = rows.length(), xs = rows.inner(xStrides), ys = rows.inner(yStrides);
  const auto copy = [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* from = x + xStart + rows.offset(r, xStrides);
      float* to = y + yStart + rows.offset(r, yStrides);
      if (accumulate) {
        for (int64_t i = 0; i < length; ++i) to[i * ys] += from[i * xs];
      } else if (xs == 1 && ys == 1) {
        std::copy_n(from, length, to);
      } else {
        for (int64_t i = 0; i < length; ++i) to[i * ys] = from[i * xs];
      }
    }
  };
  if (accumulate) return copy(0, rows.count());  // elements may be met twice: one thread, one order
  inPieces(rows.count(), std::max<int64_t>(1, kPiece / std::max<int64_t>(1, length)), length, copy);
}

void addScaled(int64_t count, float factor, const float* x, float* y) {
  inPieces(count, kPiece, 1,
           [&](int64_t begin, int64_t end) { addScaledRange(end - begin, factor, x + begin, y + begin); });
}

int64_t firstNonFinite(int64_t count, const float* x) {
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t end = std::min(count, begin + kPiece);
    if (!anyNonFinite(end - begin, x + begin)) continue;
    for (int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(x[i])) return i;
    }
  }
  return -1;
}

}  // namespace faultline
