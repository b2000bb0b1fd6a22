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
  enum : size_t { kX, kRows, kN, kBlock, kSymmetric, kBits, kY, kRange, kExtremes };
  const Args args(info, "fakeQuantize");
  const FakeQuantShape shape{args.integer(kRows, "rows", 1, kMaxSize), args.integer(kN, "n", 1, kMaxSize),
                             args.integer(kBlock, "block", 1, kMaxSize)};
  const size_t all = args.elements("x", {shape.rows, shape.n}), groups = static_cast<size_t>(shape.groups());
  const auto x = args.array<const float>(kX, "x", all);
  int bits = kMaxBits;
  std::vector<uint8_t> groupBits;
  if (args.isArrayOf<uint8_t>(kBits)) {
    groupBits = args.copy<uint8_t>(kBits, "bits", groups);
    for (size_t g = 0; g < groups; ++g) {
      if (groupBits[g] < kMinBits || groupBits[g] > kMaxBits) {
        args.refuse("bits", "2 to 8 for each", std::to_string(groupBits[g]) + " at " + std::to_string(g));
      }
    }
  } else {
    bits = static_cast<int>(args.integer(kBits, "bits", kMinBits, kMaxBits));
  }
  const auto y = args.array<float>(kY, "y", all);
  const FakeQuantRanges ranges{args.array<float>(kRange, "range", groups).data,
                               args.array<int32_t>(kExtremes, "extremes", 2 * groups).data};
  fakeQuantize(shape, args.boolean(kSymmetric), bits, groupBits.empty() ? nullptr : groupBits.data(), x.data, y.data,
               ranges);
  return args.env().Undefined();
}

// (x, rows, n, block, y, range, extremes, dy, dx)
Napi::Value fakeQuantizeBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kX, kRows, kN, kBlock, kY, kRange, kExtremes, kDy, kDx };
  const Args args(info, "fakeQuantizeBackward");
  const FakeQuantShape shape{args.integer(kRows, "rows", 1, kMaxSize), args.integer(kN, "n", 1, kMaxSize),
                             args.integer(kBlock, "block", 1, kMaxSize)};
  const size_t all = args.elements("x", {shape.rows, shape.n}), groups = static_cast<size_t>(shape.groups());
  const auto x = args.array<const float>(kX, "x", all);
  const auto y = args.array<const float>(kY, "y", all);
  const FakeQuantRanges ranges{args.array<float>(kRange, "range", groups).data,
                               args.array<int32_t>(kExtremes, "extremes", 2 * groups).data};
  const auto dy = args.array<const float>(kDy, "dy", all);
  const auto dx = args.array<float>(kDx, "dx", all);
  fakeQuantizeBackward(shape, ranges, x.data, y.data, dy.data, dx.data);
  return args.env().Undefined();
}

}  // namespace

void defineFakeQuant(Napi::Object exports) {
  addFunction<fakeQuantizeBinding>(exports, "fakeQuantize");
  addFunction<fakeQuantizeBackwardBinding>(exports, "fakeQuantizeBackward");
}

}  // namespace faultline::binding
