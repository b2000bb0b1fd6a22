#include "ops/matmul.h"

#include "binding/operations.h"
#include "binding/packed_weights.h"
#include "binding/product_end.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxRows = int64_t{1} << 31;

// A product can overflow int32 only for very long K; refuse instead of being wrong.
void checkK(const Args& args, const PackedMatrix& w) {
  const int64_t limit = largestSafeK(kMaxBits, w.storage == WeightStorage::int4 ? 8 : 128, w.storage);
  const int64_t span = w.blockSize > 0 ? std::min(w.k, w.blockSize) : w.k;
  if (span > limit) {
    args.refuse("weights", "K of at most " + std::to_string(limit) + " (int32 accumulators)", std::to_string(w.k));
  }
}

}  // namespace

// The arguments of Product, the shape m.
Napi::Value matmulDynamicBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmulDynamic");
  const PackedMatrix& w = PackedWeightsHandle::unwrap(args, Product::kWeights);
  checkK(args, w);
  MatmulDynamicArgs call;
  call.m = args.integer(Product::kShape, "m", 0, kMaxRows);
  const size_t rows = static_cast<size_t>(call.m);
  call.weights = &w;
  call.x = args.array<const float>(Product::kX, "x", rows * static_cast<size_t>(w.k)).data;
  call.ldx = w.k;
  ProductEnd end(args, rows, "in row", static_cast<size_t>(w.n), rows * static_cast<size_t>(w.n));
  if (end.acc && w.blockSize > 0) args.refuse("weights", "one scale a channel for int32 output", "scales by group");
  call.out = end.out;
  call.acc = end.acc;
  call.perTensor = end.perTensor;
  call.bits = end.bits;
  call.rowBits = end.unitBits;
  call.epilogue = end.epilogue;
  call.rowScale = end.scale;
  call.rowZeroPoint = end.zeroPoint;
  call.saturating16 = end.saturating16;
  call.saturations = end.counts();
  throwIfRefused(args.env(), matmulDynamic(call));
  end.raise();
  return args.env().Undefined();
}

// (a: Uint8Array [m, k], m, weights, zeroPoint?: Int32Array [m], acc: Int32Array [m, n])
Napi::Value matmulU8Binding(const Napi::CallbackInfo& info) {
  enum : size_t { kA, kM, kWeights, kZeroPoint, kAcc };
  const Args args(info, "matmulU8");
  const PackedMatrix& w = PackedWeightsHandle::unwrap(args, kWeights);
  checkK(args, w);
  if (w.blockSize > 0) args.refuse("weights", "one scale a channel", "scales by group");
  const int64_t m = args.integer(kM, "m", 0, kMaxRows);
  const size_t rows = static_cast<size_t>(m);
  const auto a = args.array<const uint8_t>(kA, "a", rows * static_cast<size_t>(w.k));
  const auto zeroPoint = args.optionalArray<const int32_t>(kZeroPoint, "zeroPoint", rows);
  const auto acc = args.array<int32_t>(kAcc, "acc", rows * static_cast<size_t>(w.n));
  throwIfRefused(args.env(), matmulU8(a.data, m, w.k, w, zeroPoint.data, acc.data));
  return args.env().Undefined();
}

}  // namespace faultline::binding
