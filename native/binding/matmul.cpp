#include "ops/matmul.h"

#include <vector>

#include "binding/operations.h"
#include "binding/packed_weights.h"
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

// (x, m, weights, out: Float32Array | Int32Array, bits: number | Uint8Array, perTensor, bias?, residual?, clipMin,
//  clipMax, rowScale?, rowZeroPoint?, saturating16, saturations?: Float64Array [n], raised)
Napi::Value matmulDynamicBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmulDynamic");
  const PackedMatrix& w = PackedWeightsHandle::unwrap(args, 2);
  checkK(args, w);
  MatmulDynamicArgs call;
  call.m = args.integer(1, "m", 0, kMaxRows);
  const size_t rows = static_cast<size_t>(call.m);
  const size_t outputs = rows * static_cast<size_t>(w.n);
  call.weights = &w;
  call.x = args.array<const float>(0, "x", rows * static_cast<size_t>(w.k)).data;
  call.ldx = w.k;
  if (args.isArrayOf<int32_t>(3)) {
    if (w.blockSize > 0) args.refuse("weights", "one scale a channel for int32 output", "scales by group");
    call.acc = args.array<int32_t>(3, "out", outputs).data;
  } else {
    call.out = args.array<float>(3, "out", outputs).data;
  }
  call.perTensor = args.boolean(5);
  if (args.at(4).IsNumber()) {
    call.bits = static_cast<int>(args.integer(4, "activationBits", kMinBits, kMaxBits));
  } else {
    if (call.perTensor) args.refuse("activationBits", "one number with perTensor ranges", "an array");
    call.rowBits = args.array<const uint8_t>(4, "activationBits", rows).data;
    for (size_t i = 0; i < rows; ++i) {
      if (call.rowBits[i] < kMinBits || call.rowBits[i] > kMaxBits) {
        args.refuse("activationBits", "2 to 8", std::to_string(call.rowBits[i]) + " in row " + std::to_string(i));
      }
    }
  }
  call.epilogue.bias = args.optionalArray<const float>(6, "bias", static_cast<size_t>(w.n)).data;
  call.epilogue.residual = args.optionalArray<const float>(7, "residual", outputs).data;
  call.epilogue.clipMin = static_cast<float>(args.number(8, "clip"));
  call.epilogue.clipMax = static_cast<float>(args.number(9, "clip"));
  call.rowScale = args.optionalArray<float>(10, "rowScale", rows).data;
  call.rowZeroPoint = args.optionalArray<int32_t>(11, "rowZeroPoint", rows).data;
  call.saturating16 = args.boolean(12);
  const auto saturations = args.optionalArray<double>(13, "saturations", static_cast<size_t>(w.n));
  std::vector<int64_t> events(saturations.data ? static_cast<size_t>(w.n) : 0);
  if (saturations.data) call.saturations = events.data();
  throwIfRefused(args.env(), matmulDynamic(call));
  for (size_t i = 0; i < events.size(); ++i) saturations.data[i] += static_cast<double>(events[i]);
  return args.env().Undefined();
}

// (a: Uint8Array [m, k], m, weights, zeroPoint?: Int32Array [m], acc: Int32Array [m, n])
Napi::Value matmulU8Binding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmulU8");
  const PackedMatrix& w = PackedWeightsHandle::unwrap(args, 2);
  checkK(args, w);
  if (w.blockSize > 0) args.refuse("weights", "one scale a channel", "scales by group");
  const int64_t m = args.integer(1, "m", 0, kMaxRows);
  const size_t rows = static_cast<size_t>(m);
  const auto a = args.array<const uint8_t>(0, "a", rows * static_cast<size_t>(w.k));
  const auto zeroPoint = args.optionalArray<const int32_t>(3, "zeroPoint", rows);
  const auto acc = args.array<int32_t>(4, "acc", rows * static_cast<size_t>(w.n));
  throwIfRefused(args.env(), matmulU8(a.data, m, w.k, w, zeroPoint.data, acc.data));
  return args.env().Undefined();
}

}  // namespace faultline::binding
