#include "binding/error_profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "dispatch/dispatch.h"
#include "ops/matmul.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxDimension = int64_t{1} << 31;
// Larger windows do not fit memory anyway; their products must not overflow 64 bits.
constexpr int64_t kMaxKernel = 1 << 15;
constexpr int64_t kMaxWeights = int64_t{1} << 40;
// n, h, w, c, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
constexpr size_t kGeometryLength = 12;
constexpr double kMaxElements = 0x1p52;

template <typename Array, typename Values>
Array copy(Napi::Env env, const Values& values, size_t count) {
  Array out = Array::New(env, count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<typename std::decay_t<decltype(out[i])>>(values[i]);
  return out;
}

}  // namespace

Napi::Function ErrorProfileHandle::define(Napi::Env env) {
  return DefineClass(
      env, "ErrorProfile",
      {InstanceMethod("add", &ErrorProfileHandle::add), InstanceMethod("read", &ErrorProfileHandle::read),
       InstanceMethod("dispose", &ErrorProfileHandle::dispose)});
}

// (weights: Float32Array, outChannels, kernelH, kernelW, groupChannels, groups, weightBits, blockSize, reduceRange,
//  activationBits, range: 0 per sample | 1 per tensor | 2 fixed, min, max, saturating16)
ErrorProfileHandle::ErrorProfileHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ErrorProfileHandle>(info) {
  const Args args(info, "ErrorProfile");
  throwIfRefused(args.env(), dispatchStatus());
  ConvWeightShape shape;
  shape.outChannels = args.integer(1, "shape", 1, kMaxDimension);
  shape.kernelH = args.integer(2, "shape", 1, kMaxKernel);
  shape.kernelW = args.integer(3, "shape", 1, kMaxKernel);
  shape.groupChannels = args.integer(4, "shape", 1, kMaxDimension);
  shape.groups = args.integer(5, "groups", 1, shape.outChannels);
  if (shape.outChannels % shape.groups != 0) {
    args.refuse("groups", "a divisor of " + std::to_string(shape.outChannels) + " output channels",
                std::to_string(shape.groups));
  }
  ErrorProfileOptions options;
  options.weightBits = static_cast<int>(args.integer(6, "weightBits", kMinBits, kMaxBits));
  options.blockSize = args.integer(7, "blockSize", -1, kMaxBlockSize);
  if (options.blockSize > 0 && !isBlockSize(options.blockSize)) {
    args.refuse("blockSize", "a power of two from 16 to " + std::to_string(kMaxBlockSize),
                std::to_string(options.blockSize));
  }
  options.reduceRange = args.boolean(8);
  options.activationBits = static_cast<int>(args.integer(9, "activationBits", kMinBits, kMaxBits));
  options.range = static_cast<RangeSource>(args.integer(10, "range", 0, 2));
  options.min = static_cast<float>(args.number(11, "range"));
  options.max = static_cast<float>(args.number(12, "range"));
  options.saturating16 = args.boolean(13);
  const int64_t k = shape.k();
  const int64_t limit = largestSafeK(kMaxBits, 127, WeightStorage::int8);
  const int64_t span = options.blockSize > 0 ? std::min(k, options.blockSize) : k;
  if (span > limit) {
    args.refuse("shape", "KH · KW · C / groups of at most " + std::to_string(limit) + " (int32 accumulators)",
                std::to_string(k));
  }
  if (k > kMaxWeights / shape.outChannels) {
    args.refuse("shape", "at most " + std::to_string(kMaxWeights) + " weights", "more");
  }
  const size_t count = static_cast<size_t>(shape.outChannels * k);
  const float* w = args.array<const float>(0, "weights", count).data;
  for (size_t i = 0; i < count; ++i) {
    if (std::isfinite(w[i])) continue;
    args.refuse("weights", "finite values",
                "NaN or infinity in output channel " + std::to_string(static_cast<int64_t>(i) / k));
  }
  profile_ = std::make_unique<ErrorProfile>(w, shape, options);
}

ErrorProfile& ErrorProfileHandle::live(const Args& args) const {
  if (profile_ == nullptr) args.refuse("this", "a live ErrorProfile", "a disposed one");
  return *profile_;
}

// (x: Float32Array, geometry: Int32Array [n, h, w, c, strides, dilations, padding], operation)
void ErrorProfileHandle::add(const Napi::CallbackInfo& info) {
  const std::string operation = info[2].ToString().Utf8Value();
  const Args args(info, operation.c_str());
  ErrorProfile& profile = live(args);
  const int32_t* g = args.array<const int32_t>(1, "geometry", kGeometryLength).data;
  if (g[0] < 0 || g[1] < 1 || g[2] < 1 || g[3] != profile.shape().inChannels()) {
    std::string received;
    for (int i = 0; i < 4; ++i) received.append(i > 0 ? ", " : "[").append(std::to_string(g[i]));
    args.refuse("shape", "[n, h, w, " + std::to_string(profile.shape().inChannels()) + "], h and w at least 1",
                received + "]");
  }
  const double elements = static_cast<double>(g[0]) * g[1] * g[2] * g[3];
  if (elements > kMaxElements) args.refuse("x", "samples that fit in memory", "larger ones");
  const Conv2dWindow window = {g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11]};
  const size_t expected =
      static_cast<size_t>(g[0]) * static_cast<size_t>(g[1]) * static_cast<size_t>(g[2]) * static_cast<size_t>(g[3]);
  const float* x = args.array<const float>(0, "x", expected).data;
  throwIfRefused(args.env(), profile.add(x, g[0], g[1], g[2], window, operation.c_str()));
}

// Everything as plain arrays; lib/native/error_profile.ts gives it names.
Napi::Value ErrorProfileHandle::read(const Napi::CallbackInfo& info) {
  const Args args(info, "ErrorProfile.read");
  const ErrorProfile& profile = live(args);
  const Napi::Env env = args.env();
  const size_t channels = static_cast<size_t>(profile.shape().outChannels);
  Napi::Float64Array sums = Napi::Float64Array::New(env, channels * kProfileSums);
  for (size_t channel = 0; channel < channels; ++channel) {
    for (int which = 0; which < kProfileSums; ++which) {
      sums[channel * kProfileSums + static_cast<size_t>(which)] = profile.sum(static_cast<int64_t>(channel), which);
    }
  }
  const ActivationErrors& a = profile.activations();
  const double activations[] = {
      static_cast<double>(a.samples), static_cast<double>(a.elements),     a.sums.roundingSquared,
      a.sums.clippingSquared,         static_cast<double>(a.sums.clipped), a.unusedRange};
  const WeightErrors& w = profile.weights();
  Napi::Object out = Napi::Object::New(env);
  out.Set("outputs", static_cast<double>(profile.outputs()));
  out.Set("sums", sums);
  out.Set("saturations", copy<Napi::Float64Array>(env, profile.saturations(), channels));
  out.Set("activations", copy<Napi::Float64Array>(env, activations, std::size(activations)));
  out.Set("activationHistogram",
          copy<Napi::Float64Array>(env, a.histogram, size_t{1} << profile.options().activationBits));
  out.Set("weightRoundingSquared", copy<Napi::Float64Array>(env, w.roundingSquared, channels));
  out.Set("weightSmallest", copy<Napi::Int32Array>(env, w.smallest, channels));
  out.Set("weightLargest", copy<Napi::Int32Array>(env, w.largest, channels));
  out.Set("weightHistogram", copy<Napi::Float64Array>(env, w.histogram, w.histogram.size()));
  return out;
}

}  // namespace faultline::binding
