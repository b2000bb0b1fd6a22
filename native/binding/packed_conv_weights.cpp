#include "binding/packed_conv_weights.h"

#include <algorithm>

#include "binding/geometry.h"
#include "binding/weight_source.h"
#include "dispatch/dispatch.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr napi_type_tag kTag = {0x6661756c746c696eull, 0x65436f6e76325750ull};
constexpr int64_t kMaxDimension = int64_t{1} << 31;

int64_t bytesOf(const PackedConv& conv) {
  const PackedDepthwise& d = conv.depthwise;
  size_t bytes = d.data.bytes() + d.scales.bytes() + d.sums.bytes();
  for (const PackedMatrix& m : conv.groups) {
    bytes += m.data.bytes() + m.scales.bytes() + m.sums.bytes() + m.sumPairs.bytes();
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace

Napi::Function PackedConvWeightsHandle::define(Napi::Env env) {
  using Handle = PackedConvWeightsHandle;
  return DefineClass(env, "PackedConvWeights",
                     {InstanceMethod("dispose", &Handle::dispose), InstanceMethod("bytes", &Handle::bytes),
                      InstanceMethod("codes", &Handle::codes), InstanceMethod("scales", &Handle::scales)});
}

// (weights: Float32Array | Int8Array, outChannels, kernelH, kernelW, groupChannels, groups, …WeightArgs)
PackedConvWeightsHandle::PackedConvWeightsHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PackedConvWeightsHandle>(info) {
  enum : size_t { kWeights, kShape, kBits = kShape + 5 };
  const Args args(info, "packConvWeights");
  throwIfRefused(args.env(), dispatchStatus());
  const ConvWeightShape shape = readWeightShape(args, kShape, kMaxDimension, kMaxDimension);
  const WeightArgs how(args, kBits);
  const WeightSource source = readWeights(args, shape.outChannels, shape.k(), how);
  conv_ = std::make_unique<PackedConv>();
  const KernelTable& table = kernels();
  packConv(source.codes, source.scales, shape, how.bits, how.storage, std::max<int64_t>(how.blockSize, 0), table.isa,
           table.kGroup, conv_.get());
  accountedBytes_ = bytesOf(*conv_);
  Napi::MemoryManagement::AdjustExternalMemory(args.env(), accountedBytes_);
  napi_type_tag_object(args.env(), info.This(), &kTag);
}

const PackedConv& PackedConvWeightsHandle::unwrap(const Args& args, size_t i) {
  bool tagged = false;
  if (args.at(i).IsObject()) napi_check_object_type_tag(args.env(), args.at(i), &kTag, &tagged);
  if (!tagged) args.refuse("weights", "PackedConvWeights", "another value");
  const auto* handle = Napi::ObjectWrap<PackedConvWeightsHandle>::Unwrap(args.at(i).As<Napi::Object>());
  if (handle->conv_ == nullptr) args.refuse("weights", "live PackedConvWeights", "disposed ones");
  return *handle->conv_;
}

const PackedConv& PackedConvWeightsHandle::live(const Napi::CallbackInfo& info) const {
  if (conv_ == nullptr) Args(info, "PackedConvWeights").refuse("this", "live PackedConvWeights", "disposed ones");
  return *conv_;
}

Napi::Value PackedConvWeightsHandle::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(accountedBytes_));
}

// The codes, [outChannels, kernelH, kernelW, groupChannels].
Napi::Value PackedConvWeightsHandle::codes(const Napi::CallbackInfo& info) {
  const PackedConv& conv = live(info);
  const int64_t k = conv.shape.k();
  Napi::Int8Array out = Napi::Int8Array::New(info.Env(), static_cast<size_t>(conv.shape.outChannels * k));
  int8_t* to = out.Data();
  for (int64_t i = 0; i < conv.shape.outChannels; ++i) {
    for (int64_t j = 0; j < k; ++j) *to++ = packedConvCode(conv, i, j);
  }
  return out;
}

// The scales, [scale groups, outChannels].
Napi::Value PackedConvWeightsHandle::scales(const Napi::CallbackInfo& info) {
  const PackedConv& conv = live(info);
  const int64_t groups = conv.blockSize > 0 ? ceilDiv(conv.shape.k(), conv.blockSize) : 1;
  Napi::Float32Array out = Napi::Float32Array::New(info.Env(), static_cast<size_t>(groups * conv.shape.outChannels));
  float* to = out.Data();
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t i = 0; i < conv.shape.outChannels; ++i) *to++ = packedConvScale(conv, i, g * conv.blockSize);
  }
  return out;
}

void PackedConvWeightsHandle::release(Napi::Env env) {
  if (conv_ == nullptr) return;
  conv_.reset();
  Napi::MemoryManagement::AdjustExternalMemory(env, -accountedBytes_);
  accountedBytes_ = 0;
}

}  // namespace faultline::binding
