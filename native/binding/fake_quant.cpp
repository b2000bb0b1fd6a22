// Fake quantization and its gradient.
#include "float/fake_quant.h"

#include "binding/args.h"
#include "binding/float_operations.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 31;

// (x, rows, n, block, symmetric, bits or Uint8Array [groups], y, range [groups], extremes: Int32Array [groups · 2])
Napi::Value fakeQuantizeBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "fakeQuantize");
  const FakeQuantShape shape{args.integer(1, "rows", 1, kMaxSize), args.integer(2, "n", 1, kMaxSize),
                             args.integer(3, "block", 1, kMaxSize)};
  const size_t all = static_cast<size_t>(shape.rows * shape.n), groups = static_cast<size_t>(shape.groups());
  const auto x = args.array<const float>(0, "x", all);
  int bits = kMaxBits;
  Span<const uint8_t> groupBits;
  if (args.isArrayOf<uint8_t>(5)) {
    groupBits = args.array<const uint8_t>(5, "bits", groups);
    for (size_t g = 0; g < groups; ++g) {
      if (groupBits.data[g] < kMinBits || groupBits.data[g] > kMaxBits) {
        args.refuse("bits", "2 to 8 for each", std::to_string(groupBits.data[g]) + " at " + std::to_string(g));
      }
    }
  } else {
    bits = static_cast<int>(args.integer(5, "bits", kMinBits, kMaxBits));
  }
  const auto y = args.array<float>(6, "y", all);
  const FakeQuantRanges ranges{args.array<float>(7, "range", groups).data,
                               args.array<int32_t>(8, "extremes", 2 * groups).data};
  fakeQuantize(shape, args.boolean(4), bits, groupBits.data, x.data, y.data, ranges);
  return args.env().Undefined();
}

// (x, rows, n, block, y, range, extremes, dy, dx)
Napi::Value fakeQuantizeBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "fakeQuantizeBackward");
  const FakeQuantShape shape{args.integer(1, "rows", 1, kMaxSize), args.integer(2, "n", 1, kMaxSize),
                             args.integer(3, "block", 1, kMaxSize)};
  const size_t all = static_cast<size_t>(shape.rows * shape.n), groups = static_cast<size_t>(shape.groups());
  const auto x = args.array<const float>(0, "x", all);
  const auto y = args.array<const float>(4, "y", all);
  const FakeQuantRanges ranges{args.array<float>(5, "range", groups).data,
                               args.array<int32_t>(6, "extremes", 2 * groups).data};
  for (size_t i = 0; i < 2 * groups; ++i) {
    const int64_t limit = std::min(shape.block, shape.n);
    if (ranges.extremes[i] < -1 || ranges.extremes[i] >= limit) {
      args.refuse("extremes", "-1 to " + std::to_string(limit - 1), std::to_string(ranges.extremes[i]));
    }
  }
  const auto dy = args.array<const float>(7, "dy", all);
  const auto dx = args.array<float>(8, "dx", all);
  fakeQuantizeBackward(shape, ranges, x.data, y.data, dy.data, dx.data);
  return args.env().Undefined();
}

}  // namespace

void defineFakeQuant(Napi::Object exports) {
  addFunction<fakeQuantizeBinding>(exports, "fakeQuantize");
  addFunction<fakeQuantizeBackwardBinding>(exports, "fakeQuantizeBackward");
}

}  // namespace faultline::binding
