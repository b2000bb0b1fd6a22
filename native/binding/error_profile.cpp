#include "binding/error_profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "binding/geometry.h"
#include "dispatch/dispatch.h"
#include "ops/matmul.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxDimension = int64_t{1} << 31;
constexpr int64_t kMaxWeights = int64_t{1} << 40;

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
//  activationBits, range: RangeSource, min, max, saturating16)
ErrorProfileHandle::ErrorProfileHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ErrorProfileHandle>(info) {
  enum : size_t {
    kWeights,
    kShape,
    kWeightBits = kShape + 5,
    kBlockSize,
    kReduceRange,
    kActivationBits,
    kRange,
    kMin,
    kMax,
    kSaturating16
  };
  const Args args(info, "ErrorProfile");
  throwIfRefused(args.env(), dispatchStatus());
  const ConvWeightShape shape = readWeightShape(args, kShape, kMaxDimension, kMaxWeights);
  ErrorProfileOptions options;
  options.weightBits = static_cast<int>(args.integer(kWeightBits, "weightBits", kMinBits, kMaxBits));
  options.blockSize = args.integer(kBlockSize, "blockSize", kScalePerTensor, kMaxBlockSize);
  if (options.blockSize > 0 && !isBlockSize(options.blockSize)) {
    args.refuse("blockSize",
                "a power of two from " + std::to_string(kMinBlockSize) + " to " + std::to_string(kMaxBlockSize),
                std::to_string(options.blockSize));
  }
  options.reduceRange = args.boolean(kReduceRange);
  options.activationBits = static_cast<int>(args.integer(kActivationBits, "activationBits", kMinBits, kMaxBits));
  options.range = static_cast<RangeSource>(args.integer(kRange, "range", 0, static_cast<int64_t>(RangeSource::last)));
  options.min = static_cast<float>(args.number(kMin, "range"));
  options.max = static_cast<float>(args.number(kMax, "range"));
  options.saturating16 = args.boolean(kSaturating16);
  const int64_t k = shape.k();
  const int64_t limit = largestSafeK(kMaxBits, 127, WeightStorage::int8);
  const int64_t span = options.blockSize > 0 ? std::min(k, options.blockSize) : k;
  if (span > limit) {
    args.refuse("shape", "KH · KW · C / groups of at most " + std::to_string(limit) + " (int32 accumulators)",
                std::to_string(k));
  }
  const size_t count = static_cast<size_t>(shape.outChannels * k);
  const float* w = args.array<const float>(kWeights, "weights", count).data;
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
  enum : size_t { kX, kGeometry, kOperation };
  const std::string operation = info[kOperation].ToString().Utf8Value();
  const Args args(info, operation.c_str());
  ErrorProfile& profile = live(args);
  const Geometry g = readGeometry(args, kGeometry, GeometryField::kernelH);
  const Conv2dWindow window = {g.strideH, g.strideW, g.dilationH, g.dilationW,
                               g.padTop,  g.padLeft, g.padBottom, g.padRight};
  if (g.c != profile.shape().inChannels()) {
    const std::string received =
        std::to_string(g.n) + ", " + std::to_string(g.h) + ", " + std::to_string(g.w) + ", " + std::to_string(g.c);
    args.refuse("shape", "[n, h, w, " + std::to_string(profile.shape().inChannels()) + "], as the weights have",
                "[" + received + "]");
  }
  Geometry whole = geometryOf(g.n, g.h, g.w, g.c, window, profile.shape());
  throwIfRefused(args.env(), checkConvolution(operation.c_str(), &whole, {}));
  // No array of outputs bounds the work.
  const int64_t most =
      std::max({g.h, g.w, whole.dilationH * (whole.kernelH - 1) + 1, whole.dilationW * (whole.kernelW - 1) + 1});
  if (const int64_t pad = std::max({g.padTop, g.padLeft, g.padBottom, g.padRight}); pad > most) {
    args.refuse("padding", "at most " + std::to_string(most) + ", the larger of image and window", std::to_string(pad));
  }
  const float* x = args.array<const float>(kX, "x", static_cast<size_t>(g.n * g.h * g.w * g.c)).data;
  throwIfRefused(args.env(), profile.add(x, g.n, g.h, g.w, window, operation.c_str()));
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
  double activations[static_cast<size_t>(ProfileActivation::count)];
  const auto set = [&](ProfileActivation which, auto value) {
    activations[static_cast<size_t>(which)] = static_cast<double>(value);
  };
  set(ProfileActivation::samples, a.samples);
  set(ProfileActivation::elements, a.elements);
  set(ProfileActivation::roundingSquared, a.sums.roundingSquared);
  set(ProfileActivation::clippingSquared, a.sums.clippingSquared);
  set(ProfileActivation::clipped, a.sums.clipped);
  set(ProfileActivation::unusedRange, a.unusedRange);
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
