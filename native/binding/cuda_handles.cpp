#include "binding/cuda_handles.h"

#include "binding/geometry.h"

namespace faultline::binding {
namespace {

constexpr napi_type_tag kArrayTag = {0x6661756c746c696eull, 0x6544657641727261ull};
constexpr napi_type_tag kWeightsTag = {0x6661756c746c696eull, 0x6544657657656967ull};
constexpr int64_t kMaxElements = int64_t{1} << 40;
constexpr int64_t kMaxDimension = int64_t{1} << 31;
// A grid has so many blocks along its second and third axis; the kernel for few rows takes eight channels a block.
constexpr int64_t kMaxBlocks = 65535;
constexpr int64_t kMaxChannels = 8 * kMaxBlocks;

// As lib/native/device_error.ts names them.
const char* reasonOf(cuda::DeviceError error) {
  switch (error) {
    case cuda::DeviceError::noDriver:
      return "no-driver";
    case cuda::DeviceError::noDevice:
      return "no-device";
    case cuda::DeviceError::unsupported:
      return "unsupported-device";
    case cuda::DeviceError::outOfMemory:
      return "out-of-memory";
    default:
      return "failed";
  }
}

template <typename Handle>
Handle* handleAt(const Args& args, size_t i, const char* name, const napi_type_tag& tag, const char* expected) {
  bool tagged = false;
  if (args.at(i).IsObject()) napi_check_object_type_tag(args.env(), args.at(i), &tag, &tagged);
  if (!tagged) args.refuse(name, expected, "another value");
  return Napi::ObjectWrap<Handle>::Unwrap(args.at(i).As<Napi::Object>());
}

}  // namespace

void throwIfFailed(Napi::Env env, const cuda::DeviceStatus& status) {
  if (status) return;
  const auto* data = env.GetInstanceData<CudaEnvironment>();
  if (data->deviceErrorClass.IsEmpty()) throw Napi::Error::New(env, status.message);
  throw Napi::Error(env, data->deviceErrorClass.New(
                             {Napi::String::New(env, reasonOf(status.error)), Napi::String::New(env, status.message)}));
}

cuda::Session& sessionOf(const Args& args) {
  auto* data = args.env().GetInstanceData<CudaEnvironment>();
  if (!data->session) args.refuse("device", "an open one", "none");
  return *data->session;
}

Napi::Function DeviceArrayHandle::define(Napi::Env env) {
  using Handle = DeviceArrayHandle;
  return DefineClass(env, "DeviceArray",
                     {InstanceMethod("write", &Handle::write), InstanceMethod("read", &Handle::read),
                      InstanceMethod("clear", &Handle::clear), InstanceMethod("dispose", &Handle::dispose)});
}

// (count)
DeviceArrayHandle::DeviceArrayHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceArrayHandle>(info) {
  enum : size_t { kCount };
  const Args args(info, "DeviceArray");
  count_ = args.integer(kCount, "count", 0, kMaxElements);
  throwIfFailed(args.env(), sessionOf(args).take(static_cast<size_t>(count_) * sizeof(float), &memory_));
  napi_type_tag_object(args.env(), info.This(), &kArrayTag);
}

void* DeviceArrayHandle::elements(const Args& args, size_t i, const char* name, int64_t count) {
  auto* handle = handleAt<DeviceArrayHandle>(args, i, name, kArrayTag, "a DeviceArray");
  if (!handle->memory_) args.refuse(name, "a live DeviceArray", "a disposed one");
  if (handle->count_ < count) {
    args.refuse(name, "at least " + std::to_string(count) + " elements", std::to_string(handle->count_));
  }
  return handle->memory_.as<void>();
}

Napi::TypedArray DeviceArrayHandle::hostArray(const Args& args) const {
  constexpr size_t kValues = 0;
  if (!memory_) args.refuse("this", "a live DeviceArray", "a disposed one");
  if (!args.isArrayOf<float>(kValues) && !args.isArrayOf<int32_t>(kValues)) {
    args.refuse("values", "Float32Array or Int32Array", "another value");
  }
  const auto array = args.at(kValues).As<Napi::TypedArray>();
  if (static_cast<int64_t>(array.ElementLength()) > count_) {
    args.refuse("values", "at most " + std::to_string(count_) + " elements", std::to_string(array.ElementLength()));
  }
  return array;
}

// (values: Float32Array | Int32Array): the first elements become these
void DeviceArrayHandle::write(const Napi::CallbackInfo& info) {
  const Args args(info, "DeviceArray.write");
  const Napi::TypedArray from = hostArray(args);
  cuda::Device& device = sessionOf(args).device();
  const auto* data = static_cast<const uint8_t*>(from.ArrayBuffer().Data()) + from.ByteOffset();
  if (from.ByteLength() > 0) device.upload(memory_.as<void>(), data, from.ByteLength());
  throwIfFailed(args.env(), device.status());
}

// (values: Float32Array | Int32Array): waits for the device and copies as many of the first elements
void DeviceArrayHandle::read(const Napi::CallbackInfo& info) {
  const Args args(info, "DeviceArray.read");
  const Napi::TypedArray to = hostArray(args);
  cuda::Device& device = sessionOf(args).device();
  auto* data = static_cast<uint8_t*>(to.ArrayBuffer().Data()) + to.ByteOffset();
  if (to.ByteLength() > 0) device.download(data, memory_.as<void>(), to.ByteLength());
  throwIfFailed(args.env(), device.status());
}

// Every element becomes 0.
void DeviceArrayHandle::clear(const Napi::CallbackInfo& info) {
  const Args args(info, "DeviceArray.clear");
  if (!memory_) args.refuse("this", "a live DeviceArray", "a disposed one");
  cuda::Device& device = sessionOf(args).device();
  device.fill(memory_.as<void>(), 0, memory_.bytes());
  throwIfFailed(args.env(), device.status());
}

Napi::Function DeviceWeightsHandle::define(Napi::Env env) {
  using Handle = DeviceWeightsHandle;
  return DefineClass(env, "DeviceWeights",
                     {InstanceMethod("bytes", &Handle::bytes), InstanceMethod("dispose", &Handle::dispose)});
}

// (codes: Int8Array [channels, k], scales: Float32Array [scale groups, channels], int4, blockSize, channels, k)
// A convolution, its k in the order rows, columns, channels: (…, int4, 0, outChannels, kernelH, kernelW, groupChannels,
// groups)
DeviceWeightsHandle::DeviceWeightsHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceWeightsHandle>(info) {
  enum : size_t { kCodes, kScales, kInt4, kBlockSize, kChannels, kK };
  const Args args(info, "DeviceWeights");
  auto weights = std::make_unique<cuda::UploadedWeights>();
  weights->isConv = info.Length() > kK + 1;
  const bool int4 = args.boolean(kInt4);
  const int64_t blockSize = args.integer(kBlockSize, "blockSize", 0, weights->isConv ? 0 : kMaxBlockSize);
  if (blockSize > 0 && !isBlockSize(blockSize)) args.refuse("blockSize", "a power of two from 16", "another number");
  const int64_t channels = args.integer(kChannels, "channels", 1, kMaxChannels);
  ConvWeightShape& shape = weights->shape;
  int64_t k = 0;
  if (weights->isConv) {
    shape = readWeightShape(args, kChannels, kMaxChannels, kMaxDimension);
    if (shape.groups > kMaxBlocks && !cuda::isDepthwise(shape)) {
      args.refuse("groups", "at most " + std::to_string(kMaxBlocks), std::to_string(shape.groups));
    }
    k = shape.k();
  } else {
    k = args.integer(kK, "k", 1, kMaxDimension);
  }
  if (static_cast<double>(channels) * static_cast<double>(k) > static_cast<double>(kMaxDimension)) {
    args.refuse("codes", "at most 2^31", std::to_string(channels) + " x " + std::to_string(k));
  }
  const int64_t scaleGroups = blockSize > 0 ? ceilDiv(k, blockSize) : 1;
  const int8_t* codes = args.array<const int8_t>(kCodes, "codes", static_cast<size_t>(channels * k)).data;
  const float* scales = args.array<const float>(kScales, "scales", static_cast<size_t>(channels * scaleGroups)).data;
  const bool nibbles = int4 && !(weights->isConv && cuda::isDepthwise(shape));
  if (!cuda::sumsFit(codes, channels, k, nibbles)) {
    args.refuse("weights", "sums of codes that int32 holds", std::to_string(k) + " weights a channel");
  }
  const cuda::WeightImage image = weights->isConv ? cuda::convolutionImage(codes, scales, shape, int4)
                                                  : cuda::matrixImage(codes, scales, channels, k, int4, blockSize);
  throwIfFailed(args.env(), sessionOf(args).upload(image, weights.get()));
  weights_ = std::move(weights);
  napi_type_tag_object(args.env(), info.This(), &kWeightsTag);
}

cuda::UploadedWeights& DeviceWeightsHandle::unwrap(const Args& args, size_t i, bool isConv) {
  auto* handle = handleAt<DeviceWeightsHandle>(args, i, "weights", kWeightsTag, "DeviceWeights");
  if (handle->weights_ == nullptr) args.refuse("weights", "live DeviceWeights", "disposed ones");
  if (handle->weights_->isConv != isConv) {
    args.refuse("weights", isConv ? "those of a convolution" : "those of a matrix product", "the others");
  }
  return *handle->weights_;
}

Napi::Value DeviceWeightsHandle::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), weights_ ? static_cast<double>(weights_->bytes()) : 0);
}

}  // namespace faultline::binding
