#include "binding/integer_operand.h"

#include "binding/integer_args.h"
#include "dispatch/dispatch.h"
#include "ops/onnx_integer.h"

namespace faultline::binding {
namespace {

constexpr napi_type_tag kTag = {0x6661756c746c696eull, 0x49506172616e6421ull};
enum Argument : size_t { kCodes, kZeroPoint, kShape };
// The numbers of a shape: [batches, k, n], or those of a convolution.
enum MatmulNumber : size_t { kBatches, kK, kN, kMatmulNumbers };
enum ConvNumber : size_t { kOutChannels, kGroupChannels, kKernelH, kKernelW, kGroups, kConvNumbers };

int64_t bytesOf(const IntegerWeights& w) {
  const PackedMatrix& m = w.matrix;
  return static_cast<int64_t>(m.data.bytes() + m.scales.bytes() + m.sums.bytes() + m.sumPairs.bytes() +
                              w.zeroPoint.size() * sizeof(int32_t));
}
int64_t bytesOf(const IntegerOperand& operand) {
  const PlaneWeights& planes = operand.conv.planes;
  int64_t total = static_cast<int64_t>(planes.columns.size() + planes.ones.size() +
                                       (planes.sums.size() + planes.zeroPoints.size()) * sizeof(int32_t));
  for (const IntegerWeights& w : operand.matrices) total += bytesOf(w);
  for (const IntegerWeights& w : operand.conv.groups) total += bytesOf(w);
  return total;
}

// [batches, k, n]
void packMatrices(const Args& args, const int32_t* v, IntegerOperand* out) {
  const int64_t batches = v[kBatches];
  out->k = v[kK];
  out->n = v[kN];
  if (batches < 0 || out->k < 1 || out->n < 0) args.refuse("shape", "[batches, K ≥ 1, N]", "others");
  const Bytes b = readBytes(args, kCodes, "B", args.elements("B", {batches, out->k, out->n}));
  const ZeroPoints zero =
      readZeroPoints(args, kZeroPoint, "b_zero_point", args.elements("B", {batches, out->n}), b.isSigned);
  if (out->n == 0) return;
  out->matrices.resize(static_cast<size_t>(batches));
  for (int64_t i = 0; i < batches; ++i) {
    packMatmulB(b.data + i * out->k * out->n, b.isSigned, out->k, out->n,
                zero.data ? zero.data + i * out->n * zero.step : nullptr, zero.step,
                &out->matrices[static_cast<size_t>(i)]);
  }
}

// [outC, C / groups, kernelH, kernelW, groups]
void packConv(const Args& args, const int32_t* v, IntegerOperand* out) {
  for (size_t i = 0; i < kConvNumbers; ++i) {
    if (v[i] < 1) args.refuse("shape", "1 or more", std::to_string(v[i]));
  }
  out->isConv = true;
  out->shape.outC = v[kOutChannels];
  out->shape.c = int64_t{v[kGroupChannels]} * v[kGroups];
  out->shape.kernelH = v[kKernelH];
  out->shape.kernelW = v[kKernelW];
  out->shape.groups = v[kGroups];
  if (out->shape.outC % out->shape.groups != 0) {
    args.refuse("group", "a divisor of the output channels", std::to_string(v[kGroups]));
  }
  const Bytes w =
      readBytes(args, kCodes, "w", args.elements("w", {v[kOutChannels], v[kGroupChannels], v[kKernelH], v[kKernelW]}));
  const ZeroPoints zero =
      readZeroPoints(args, kZeroPoint, "w_zero_point", static_cast<size_t>(out->shape.outC), w.isSigned);
  out->conv = packConvW(w.data, w.isSigned, out->shape, zero.data, zero.step);
}

}  // namespace

Napi::Function IntegerOperandHandle::define(Napi::Env env) {
  return DefineClass(env, "IntegerOperand",
                     {InstanceMethod("dispose", &IntegerOperandHandle::dispose),
                      InstanceMethod("bytes", &IntegerOperandHandle::bytes)});
}

// (codes: Uint8Array | Int8Array, zeroPoint?, shape: Int32Array): [batches, k, n], or [outC, C / groups, kernelH,
// kernelW, groups] for a convolution.
IntegerOperandHandle::IntegerOperandHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<IntegerOperandHandle>(info) {
  const Args args(info, "packIntegerOperand");
  throwIfRefused(args.env(), dispatchStatus());
  const auto shape = args.array<const int32_t>(kShape, "shape", kMatmulNumbers);
  operand_ = std::make_unique<IntegerOperand>();
  if (shape.length >= kConvNumbers) {
    packConv(args, shape.data, operand_.get());
  } else {
    packMatrices(args, shape.data, operand_.get());
  }
  accountedBytes_ = bytesOf(*operand_);
  Napi::MemoryManagement::AdjustExternalMemory(args.env(), accountedBytes_);
  napi_type_tag_object(args.env(), info.This(), &kTag);
}

const IntegerOperand& IntegerOperandHandle::unwrap(const Args& args, size_t i, const char* name, bool isConv) {
  const char* expected = isConv ? "packed weights of a convolution" : "packed matrices";
  bool tagged = false;
  if (args.at(i).IsObject()) napi_check_object_type_tag(args.env(), args.at(i), &kTag, &tagged);
  if (!tagged) args.refuse(name, expected, "another value");
  const auto* handle = Napi::ObjectWrap<IntegerOperandHandle>::Unwrap(args.at(i).As<Napi::Object>());
  if (handle->operand_ == nullptr) args.refuse(name, expected, "disposed ones");
  if (handle->operand_->isConv != isConv) args.refuse(name, expected, "the other kind");
  return *handle->operand_;
}

Napi::Value IntegerOperandHandle::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(accountedBytes_));
}

void IntegerOperandHandle::release(Napi::Env env) {
  if (operand_ == nullptr) return;
  operand_.reset();
  Napi::MemoryManagement::AdjustExternalMemory(env, -accountedBytes_);
  accountedBytes_ = 0;
}

}  // namespace faultline::binding
