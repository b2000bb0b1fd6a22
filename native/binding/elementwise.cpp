// Elementwise float32 operations, sums and copies.
#include "float/elementwise.h"

#include <algorithm>
#include <vector>

#include "binding/args.h"
#include "binding/float_operations.h"
#include "float/rows.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxCount = int64_t{1} << 32;

// A walk from JavaScript: Int32Array [rank, dims…, strides of the first operand…, strides of the second…].
struct WalkArgs {
  Walk walk;
  int64_t first[kMaxAxes], second[kMaxAxes];
  int64_t count = 1;

  WalkArgs(const Args& args, size_t i) {
    int64_t all = 1;
    const auto head = args.array<const int32_t>(i, "walk", 1);
    walk.rank = head.data[0];
    if (walk.rank < 0 || walk.rank > kMaxAxes)
      args.refuse("walk", "up to " + std::to_string(kMaxAxes) + " axes", std::to_string(walk.rank));
    const int32_t* at = args.array<const int32_t>(i, "walk", static_cast<size_t>(1 + 3 * walk.rank)).data + 1;
    for (int axis = 0; axis < walk.rank; ++axis) {
      walk.dims[axis] = at[axis];
      first[axis] = at[walk.rank + axis];
      second[axis] = at[2 * walk.rank + axis];
      if (std::min({walk.dims[axis], first[axis], second[axis]}) < 0) args.refuse("walk", "no negative number", "one");
      all = static_cast<int64_t>(args.elements("walk", {all, std::max<int64_t>(walk.dims[axis], 1)}));
      if (all >= kMaxCount) args.refuse("walk", "fewer than 2^32 elements", "more");
      if (walk.dims[axis] == 0) count = 0;
    }
    count *= all;
  }
  // Elements an operand has at least. Extents multiply to less than 2^32 and strides are below 2^31: a sum below 2^63.
  size_t reach(const int64_t* strides, int64_t start = 0) const {
    if (count == 0) return 0;
    int64_t last = start;
    for (int axis = 0; axis < walk.rank; ++axis) last += (walk.dims[axis] - 1) * strides[axis];
    return static_cast<size_t>(last) + 1;
  }
};

// (function, p, q, x, y)
Napi::Value unaryBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kFunction, kP, kQ, kX, kY };
  const Args args(info, "unary");
  const auto function = static_cast<Unary>(args.integer(kFunction, "function", 0, static_cast<int>(Unary::last)));
  const auto x = args.array<const float>(kX, "x", 0);
  const auto y = args.array<float>(kY, "y", x.length);
  unary(function, static_cast<float>(args.number(kP, "p")), static_cast<float>(args.number(kQ, "q")),
        static_cast<int64_t>(x.length), x.data, y.data);
  return args.env().Undefined();
}

// (function, p, q, x, y, dy, dx)
Napi::Value unaryBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kFunction, kP, kQ, kX, kY, kDy, kDx };
  const Args args(info, "unary backward");
  const auto function = static_cast<Unary>(args.integer(kFunction, "function", 0, static_cast<int>(Unary::last)));
  const auto x = args.array<const float>(kX, "x", 0);
  const auto y = args.array<const float>(kY, "y", x.length);
  const auto dy = args.array<const float>(kDy, "dy", x.length);
  const auto dx = args.array<float>(kDx, "dx", x.length);
  unaryBackward(function, static_cast<float>(args.number(kP, "p")), static_cast<float>(args.number(kQ, "q")),
                static_cast<int64_t>(x.length), x.data, y.data, dy.data, dx.data);
  return args.env().Undefined();
}

// (function, walk, a, b, y)
Napi::Value binaryBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kFunction, kWalk, kA, kB, kY };
  const Args args(info, "binary");
  const auto function = static_cast<Binary>(args.integer(kFunction, "function", 0, static_cast<int>(Binary::last)));
  const WalkArgs w(args, kWalk);
  const auto a = args.array<const float>(kA, "a", w.reach(w.first));
  const auto b = args.array<const float>(kB, "b", w.reach(w.second));
  const auto y = args.array<float>(kY, "y", static_cast<size_t>(w.count));
  if (w.count > 0) binary(function, w.walk, w.first, w.second, a.data, b.data, y.data);
  return args.env().Undefined();
}

// (walk: strides of y first, factor, x, y)
Napi::Value reduceSumBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kWalk, kFactor, kX, kY };
  const Args args(info, "reduceSum");
  const WalkArgs w(args, kWalk);
  const auto x = args.array<const float>(kX, "x", static_cast<size_t>(w.count));
  const auto y = args.array<float>(kY, "y", w.reach(w.first));
  const double factor = args.number(kFactor, "factor");
  if (w.count > 0) {
    reduceSum(w.walk, w.first, factor, x.data, static_cast<int64_t>(y.length), y.data);
  } else {
    std::fill_n(y.data, y.length, 0.f);
  }
  return args.env().Undefined();
}

// (walk: strides of x, of y; x, xStart, y, yStart, accumulate)
Napi::Value copyStridedBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kWalk, kX, kXStart, kY, kYStart, kAccumulate };
  const Args args(info, "copyStrided");
  const WalkArgs w(args, kWalk);
  const int64_t xStart = args.integer(kXStart, "xStart", 0, kMaxCount),
                yStart = args.integer(kYStart, "yStart", 0, kMaxCount);
  const auto x = args.array<const float>(kX, "x", w.reach(w.first, xStart));
  const auto y = args.array<float>(kY, "y", w.reach(w.second, yStart));
  if (w.count > 0) copyStrided(w.walk, w.first, xStart, w.second, yStart, args.boolean(kAccumulate), x.data, y.data);
  return args.env().Undefined();
}

// (factor, x, y): y += factor · x
Napi::Value addScaledBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kFactor, kX, kY };
  const Args args(info, "addScaled");
  const auto x = args.array<const float>(kX, "x", 0);
  const auto y = args.array<float>(kY, "y", x.length);
  addScaled(static_cast<int64_t>(x.length), static_cast<float>(args.number(kFactor, "factor")), x.data, y.data);
  return args.env().Undefined();
}

// (x) → the index of the first NaN or infinity, or −1
Napi::Value firstNonFiniteBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kX };
  const Args args(info, "firstNonFinite");
  const auto x = args.array<const float>(kX, "x", 0);
  return Napi::Number::New(args.env(), static_cast<double>(firstNonFinite(static_cast<int64_t>(x.length), x.data)));
}

struct GatherArgs {
  enum : size_t { kOuter, kAxis, kInner, kIndex, kFrom, kTo };
  int64_t outer, axis, inner;
  std::vector<int32_t> index;
  explicit GatherArgs(const Args& args)
      : outer(args.integer(kOuter, "outer", 0, kMaxCount)),
        axis(args.integer(kAxis, "axis", 1, kMaxCount)),
        inner(args.integer(kInner, "inner", 0, kMaxCount)),
        index(args.copy<int32_t>(kIndex, "index", 0)) {
    for (const int32_t at : index) {
      if (at < 0 || at >= axis) args.refuse("index", "0 to " + std::to_string(axis - 1), std::to_string(at));
    }
    table = args.elements("x", {outer, axis, inner});
    rows = args.elements("y", {outer, count(), inner});
  }
  int64_t count() const { return static_cast<int64_t>(index.size()); }
  size_t table, rows;
};

// (outer, axis, inner, index, x, y)
Napi::Value gatherBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "gather");
  const GatherArgs g(args);
  gather(g.outer, g.axis, g.inner, g.count(), g.index.data(),
         args.array<const float>(GatherArgs::kFrom, "x", g.table).data,
         args.array<float>(GatherArgs::kTo, "y", g.rows).data);
  return args.env().Undefined();
}

// (outer, axis, inner, index, dy, dx)
Napi::Value gatherBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "gather backward");
  const GatherArgs g(args);
  gatherBackward(g.outer, g.axis, g.inner, g.count(), g.index.data(),
                 args.array<const float>(GatherArgs::kFrom, "dy", g.rows).data,
                 args.array<float>(GatherArgs::kTo, "dx", g.table).data);
  return args.env().Undefined();
}

}  // namespace

void defineElementwise(Napi::Object exports) {
  addFunction<unaryBinding>(exports, "unary");
  addFunction<unaryBackwardBinding>(exports, "unaryBackward");
  addFunction<binaryBinding>(exports, "binary");
  addFunction<reduceSumBinding>(exports, "reduceSum");
  addFunction<copyStridedBinding>(exports, "copyStrided");
  addFunction<addScaledBinding>(exports, "addScaled");
  addFunction<firstNonFiniteBinding>(exports, "firstNonFinite");
  addFunction<gatherBinding>(exports, "gather");
  addFunction<gatherBackwardBinding>(exports, "gatherBackward");
}

}  // namespace faultline::binding
