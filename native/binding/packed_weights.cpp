#include "binding/packed_weights.h"

#include <algorithm>

#include "binding/weight_source.h"
#include "dispatch/dispatch.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr napi_type_tag kTag = {0x6661756c746c696eull, 0x655061636b65644dull};
constexpr int64_t kMaxDimension = int64_t{1} << 31;

int64_t bytesOf(const PackedMatrix& m) {
  return static_cast<int64_t>(m.data.bytes() + m.scales.bytes() + m.sums.bytes() + m.sumPairs.bytes());
}

}  // namespace

Napi::Function PackedWeightsHandle::define(Napi::Env env) {
  return DefineClass(
      env, "PackedWeights",
      {InstanceMethod("dispose", &PackedWeightsHandle::dispose), InstanceMethod("bytes", &PackedWeightsHandle::bytes),
       InstanceMethod("codes", &PackedWeightsHandle::codes), InstanceMethod("scales", &PackedWeightsHandle::scales)});
}

// (weights: Float32Array | Int8Array, n, k, …WeightArgs)
PackedWeightsHandle::PackedWeightsHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PackedWeightsHandle>(info) {
  enum : size_t { kWeights, kN, kK, kBits };
  const Args args(info, "packWeights");
  throwIfRefused(args.env(), dispatchStatus());
  const int64_t n = args.integer(kN, "n", 1, kMaxDimension);
  const int64_t k = args.integer(kK, "k", 1, kMaxDimension);
  const WeightArgs how(args, kBits);
  const WeightSource source = readWeights(args, n, k, how);
  matrix_ = std::make_unique<PackedMatrix>();
  packMatrix(source.codes, source.scales, n, k, how.bits, how.storage, std::max<int64_t>(how.blockSize, 0),
             kernels().kGroup, matrix_.get());
  accountedBytes_ = bytesOf(*matrix_);
  Napi::MemoryManagement::AdjustExternalMemory(args.env(), accountedBytes_);
  napi_type_tag_object(args.env(), info.This(), &kTag);
}

const PackedMatrix& PackedWeightsHandle::unwrap(const Args& args, size_t i) {
  bool tagged = false;
  if (args.at(i).IsObject()) napi_check_object_type_tag(args.env(), args.at(i), &kTag, &tagged);
  if (!tagged) args.refuse("weights", "PackedWeights", "another value");
  const auto* handle = Napi::ObjectWrap<PackedWeightsHandle>::Unwrap(args.at(i).As<Napi::Object>());
  if (handle->matrix_ == nullptr) args.refuse("weights", "live PackedWeights", "disposed ones");
  return *handle->matrix_;
}

const PackedMatrix& PackedWeightsHandle::live(const Napi::CallbackInfo& info) const {
  if (matrix_ == nullptr) Args(info, "PackedWeights").refuse("this", "live PackedWeights", "disposed ones");
  return *matrix_;
}

Napi::Value PackedWeightsHandle::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(accountedBytes_));
}

// The codes, [n, k] row-major.
Napi::Value PackedWeightsHandle::codes(const Napi::CallbackInfo& info) {
  const PackedMatrix& m = live(info);
  Napi::Int8Array out = Napi::Int8Array::New(info.Env(), static_cast<size_t>(m.n * m.k));
  int8_t* to = out.Data();
  for (int64_t i = 0; i < m.n; ++i) {
    for (int64_t j = 0; j < m.k; ++j) *to++ = packedCode(m, i, j);
  }
  return out;
}

// The scales, [groups, n].
Napi::Value PackedWeightsHandle::scales(const Napi::CallbackInfo& info) {
  const PackedMatrix& m = live(info);
  Napi::Float32Array out = Napi::Float32Array::New(info.Env(), static_cast<size_t>(m.scaleGroups * m.n));
  for (int64_t g = 0; g < m.scaleGroups; ++g) {
    std::copy_n(m.scales.data() + g * m.paddedN(), m.n, out.Data() + g * m.n);
  }
  return out;
}

void PackedWeightsHandle::release(Napi::Env env) {
  if (matrix_ == nullptr) return;
  matrix_.reset();
  Napi::MemoryManagement::AdjustExternalMemory(env, -accountedBytes_);
  accountedBytes_ = 0;
}

}  // namespace faultline::binding
