#include "binding/convolution.h"

#include "binding/dnn_errors.h"
#include "binding/geometry.h"

namespace faultline::binding {
namespace {

constexpr double kMaxElements = 0x1p31 - 1;  // oneDNN's dimensions and ours are 32 bits

size_t size(int64_t count) { return static_cast<size_t>(count); }

}  // namespace

Napi::Function ConvolutionHandle::define(Napi::Env env) {
  return DefineClass(env, "Convolution",
                     {InstanceMethod("forward", &ConvolutionHandle::forward),
                      InstanceMethod("backwardData", &ConvolutionHandle::backwardData),
                      InstanceMethod("backwardWeights", &ConvolutionHandle::backwardWeights)});
}

// (geometry: Int32Array of GeometryField up to groups, method: ConvMethod)
ConvolutionHandle::ConvolutionHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ConvolutionHandle>(info) {
  enum : size_t { kGeometry, kMethod };
  const Args args(info, "convolution");
  Geometry g = readGeometry(args, kGeometry, GeometryField::outH);
  throwIfRefused(args.env(), checkConvolution("convolution", &g,
                                              {.leastN = 1, .maxElements = kMaxElements, .argument = "geometry"}));
  const dnn::ConvGeometry geometry{.n = g.n,
                                   .h = g.h,
                                   .w = g.w,
                                   .c = g.c,
                                   .outChannels = g.outChannels,
                                   .kernelH = g.kernelH,
                                   .kernelW = g.kernelW,
                                   .strideH = g.strideH,
                                   .strideW = g.strideW,
                                   .padTop = g.padTop,
                                   .padLeft = g.padLeft,
                                   .padBottom = g.padBottom,
                                   .padRight = g.padRight,
                                   .dilationH = g.dilationH,
                                   .dilationW = g.dilationW,
                                   .groups = g.groups};
  const auto method = args.integer(kMethod, "method", 0, static_cast<int64_t>(ConvMethod::last));
  convolution_ = std::make_unique<dnn::Convolution>(geometry, static_cast<ConvMethod>(method));
}

// (x, w, weightVersion, bias?, residual?, low, high, y)
void ConvolutionHandle::forward(const Napi::CallbackInfo& info) {
  enum : size_t { kX, kW, kWeightVersion, kBias, kResidual, kLow, kHigh, kY };
  const Args args(info, "convolution");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto x = args.array<const float>(kX, "x", size(g.inputs()));
  const auto w = args.array<const float>(kW, "w", size(g.weights()));
  const auto bias = args.optionalArray<const float>(kBias, "bias", size(g.outChannels));
  const auto residual = args.optionalArray<const float>(kResidual, "residual", size(g.outputs()));
  const dnn::Bounds bounds{static_cast<float>(args.number(kLow, "low")),
                           static_cast<float>(args.number(kHigh, "high"))};
  const auto y = args.array<float>(kY, "y", size(g.outputs()));
  const dnn::VersionedWeights weights{w.data, args.number(kWeightVersion, "weightVersion")};
  withDnnErrors(args.env(), "convolution",
                [&] { convolution_->forward(x.data, weights, bias.data, residual.data, bounds, y.data); });
}

// (dy, w, weightVersion, again, dx)
void ConvolutionHandle::backwardData(const Napi::CallbackInfo& info) {
  enum : size_t { kDy, kW, kWeightVersion, kAgain, kDx };
  const Args args(info, "convolution backward");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto dy = args.array<const float>(kDy, "dy", size(g.outputs()));
  const auto w = args.array<const float>(kW, "w", size(g.weights()));
  const auto dx = args.array<float>(kDx, "dx", size(g.inputs()));
  const dnn::VersionedWeights weights{w.data, args.number(kWeightVersion, "weightVersion")};
  withDnnErrors(args.env(), "convolution backward",
                [&] { convolution_->backwardData(dy.data, weights, args.boolean(kAgain), dx.data); });
}

// (x, dy, dw, db?)
void ConvolutionHandle::backwardWeights(const Napi::CallbackInfo& info) {
  enum : size_t { kX, kDy, kDw, kDb };
  const Args args(info, "convolution backward");
  const dnn::ConvGeometry& g = convolution_->geometry();
  const auto x = args.array<const float>(kX, "x", size(g.inputs()));
  const auto dy = args.array<const float>(kDy, "dy", size(g.outputs()));
  const auto dw = args.array<float>(kDw, "dw", size(g.weights()));
  const auto db = args.optionalArray<float>(kDb, "db", size(g.outChannels));
  withDnnErrors(args.env(), "convolution backward",
                [&] { convolution_->backwardWeights(x.data, dy.data, dw.data, db.data); });
}

}  // namespace faultline::binding
