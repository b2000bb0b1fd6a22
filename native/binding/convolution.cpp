#include "binding/convolution.h"

#include "binding/dnn_errors.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 31;
constexpr size_t kGeometryFields = 16;

size_t size(int64_t count) { return static_cast<size_t>(count); }

}  // namespace

Napi::Function ConvolutionHandle::define(Napi::Env env) {
  return DefineClass(env, "Convolution",
                     {InstanceMethod("forward", &ConvolutionHandle::forward),
                      InstanceMethod("backwardData", &ConvolutionHandle::backwardData),
                      InstanceMethod("backwardWeights", &ConvolutionHandle::backwardWeights)});
}

// (geometry: Int32Array [n, h, w, c, outChannels, kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom,
//  padRight, dilationH, dilationW, groups], method: 0 direct, 1 fast, 2 bfloat16 factors)
ConvolutionHandle::ConvolutionHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ConvolutionHandle>(info) {
  const Args args(info, "convolution");
  const int32_t* f = args.array<const int32_t>(0, "geometry", kGeometryFields).data;
  const dnn::ConvGeometry g{f[0], f[1], f[2],  f[3],  f[4],  f[5],  f[6],  f[7],
                            f[8], f[9], f[10], f[11], f[12], f[13], f[14], f[15]};
  for (const int i : {0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15}) {
    if (f[i] < 1) args.refuse("geometry", "sizes, strides and dilations of at least 1", std::to_string(f[i]));
  }
  for (const int i : {9, 10, 11, 12}) {
    if (f[i] < 0) args.refuse("geometry", "padding of at least 0", std::to_string(f[i]));
  }
  if (g.c % g.groups != 0 || g.outChannels % g.groups != 0) {
    args.refuse("geometry", "channels that divide into groups",
                std::to_string(g.c) + " and " + std::to_string(g.outChannels) + " in " + std::to_string(g.groups));
  }
  if (g.h + g.padTop + g.padBottom <= (g.kernelH - 1) * g.dilationH ||
      g.w + g.padLeft + g.padRight <= (g.kernelW - 1) * g.dilationW) {
    args.refuse("geometry", "a window that fits the padded input", "a larger one");
  }
  const double in = static_cast<double>(g.n) * static_cast<double>(g.h) * static_cast<double>(g.w * g.c);
  const double out = static_cast<double>(g.n) * static_cast<double>(g.outH()) * static_cast<double>(g.outW()) *
                     static_cast<double>(g.outChannels);
  const double taps = static_cast<double>(g.outChannels) * static_cast<double>(g.c / g.groups) *
                      static_cast<double>(g.kernelH) * static_cast<double>(g.kernelW);
  if (std::max({in, out, taps}) >= static_cast<double>(kMaxElements)) {
    args.refuse("geometry", "tensors of fewer than 2^31 elements", "a larger one");
  }
  convolution_ = std::make_unique<dnn::Convolution>(
      g, static_cast<dnn::Method>(args.integer(1, "method", 0, static_cast<int>(dnn::Method::last))));
}

// (x, w, weightVersion, bias?, residual?, low, high, y)
void ConvolutionHandle::forward(const Napi::CallbackInfo& info) {
  const Args args(info, "convolution");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto x = args.array<const float>(0, "x", size(g.inputs()));
  const auto w = args.array<const float>(1, "w", size(g.weights()));
  const auto bias = args.optionalArray<const float>(3, "bias", size(g.outChannels));
  const auto residual = args.optionalArray<const float>(4, "residual", size(g.outputs()));
  const dnn::Bounds bounds{static_cast<float>(args.number(5, "low")), static_cast<float>(args.number(6, "high"))};
  const auto y = args.array<float>(7, "y", size(g.outputs()));
  const dnn::VersionedWeights weights{w.data, args.number(2, "weightVersion")};
  withDnnErrors(args.env(), "convolution",
                [&] { convolution_->forward(x.data, weights, bias.data, residual.data, bounds, y.data); });
}

// (dy, w, weightVersion, again, dx)
void ConvolutionHandle::backwardData(const Napi::CallbackInfo& info) {
  const Args args(info, "convolution backward");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto dy = args.array<const float>(0, "dy", size(g.outputs()));
  const auto w = args.array<const float>(1, "w", size(g.weights()));
  const auto dx = args.array<float>(4, "dx", size(g.inputs()));
  const dnn::VersionedWeights weights{w.data, args.number(2, "weightVersion")};
  withDnnErrors(args.env(), "convolution backward",
                [&] { convolution_->backwardData(dy.data, weights, args.boolean(3), dx.data); });
}

// (x, dy, dw, db?)
void ConvolutionHandle::backwardWeights(const Napi::CallbackInfo& info) {
  const Args args(info, "convolution backward");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto x = args.array<const float>(0, "x", size(g.inputs()));
  const auto dy = args.array<const float>(1, "dy", size(g.outputs()));
  const auto dw = args.array<float>(2, "dw", size(g.weights()));
  const auto db = args.optionalArray<float>(3, "db", size(g.outChannels));
  withDnnErrors(args.env(), "convolution backward",
                [&] { convolution_->backwardWeights(x.data, dy.data, dw.data, db.data); });
}

}  // namespace faultline::binding
