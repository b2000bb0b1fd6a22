#include "ops/conv2d.h"

#include <vector>

#include "binding/operations.h"
#include "binding/packed_conv_weights.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

// n, h, w, c, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
constexpr size_t kGeometryLength = 12;
// Beyond this no array can exist, and products of dimensions could overflow.
constexpr double kMaxElements = 0x1p52;

void readGeometry(const Args& args, size_t at, Conv2dDynamicArgs* call) {
  const int32_t* g = args.array<const int32_t>(at, "geometry", kGeometryLength).data;
  call->n = g[0];
  call->h = g[1];
  call->w = g[2];
  call->c = g[3];
  call->window = {g[4], g[5], g[6], g[7], g[8], g[9], g[10], g[11]};
}

// Elements of the output; the geometry has been checked.
size_t outputSize(const Args& args, const Conv2dDynamicArgs& call) {
  const ConvWeightShape& w = call.weights->shape;
  const Conv2dWindow& v = call.window;
  const int64_t outH = convOutputSize(call.h, w.kernelH, v.strideH, v.dilationH, v.padTop, v.padBottom);
  const int64_t outW = convOutputSize(call.w, w.kernelW, v.strideW, v.dilationW, v.padLeft, v.padRight);
  const double elements = static_cast<double>(call.n) * static_cast<double>(outH) * static_cast<double>(outW) *
                          static_cast<double>(w.outChannels);
  if (elements > kMaxElements)
    args.refuse("x", "an output that fits in memory", std::to_string(elements) + " elements");
  return static_cast<size_t>(elements);
}

}  // namespace

// (x, geometry: Int32Array, weights, out: Float32Array | Int32Array, bits: number | Uint8Array, perTensor, bias?,
//  residual?, clipMin, clipMax, sampleScale?, sampleZeroPoint?, saturating16,
//  saturations?: Float64Array [outChannels], raised)
Napi::Value conv2dDynamicBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "conv2dDynamic");
  Conv2dDynamicArgs call;
  call.weights = &PackedConvWeightsHandle::unwrap(args, 2);
  readGeometry(args, 1, &call);
  const bool wantsAccumulators = args.isArrayOf<int32_t>(3);
  throwIfRefused(args.env(), checkConv2d(call));
  const size_t samples = static_cast<size_t>(call.n);
  const size_t outputs = outputSize(args, call);
  call.x = args.array<const float>(0, "x", samples * static_cast<size_t>(call.h * call.w * call.c)).data;
  if (wantsAccumulators) {
    call.acc = args.array<int32_t>(3, "out", outputs).data;
  } else {
    call.out = args.array<float>(3, "out", outputs).data;
  }
  call.perTensor = args.boolean(5);
  if (args.at(4).IsNumber()) {
    call.bits = static_cast<int>(args.integer(4, "activationBits", kMinBits, kMaxBits));
  } else {
    if (call.perTensor) args.refuse("activationBits", "one number with perTensor ranges", "an array");
    call.sampleBits = args.array<const uint8_t>(4, "activationBits", samples).data;
    for (size_t i = 0; i < samples; ++i) {
      if (call.sampleBits[i] < kMinBits || call.sampleBits[i] > kMaxBits) {
        args.refuse("activationBits", "2 to 8",
                    std::to_string(call.sampleBits[i]) + " for sample " + std::to_string(i));
      }
    }
  }
  const size_t channels = static_cast<size_t>(call.weights->shape.outChannels);
  call.epilogue.bias = args.optionalArray<const float>(6, "bias", channels).data;
  call.epilogue.residual = args.optionalArray<const float>(7, "residual", outputs).data;
  call.epilogue.clipMin = static_cast<float>(args.number(8, "clip"));
  call.epilogue.clipMax = static_cast<float>(args.number(9, "clip"));
  call.sampleScale = args.optionalArray<float>(10, "sampleScale", samples).data;
  call.sampleZeroPoint = args.optionalArray<int32_t>(11, "sampleZeroPoint", samples).data;
  call.saturating16 = args.boolean(12);
  const auto saturations = args.optionalArray<double>(13, "saturations", channels);
  std::vector<int64_t> events(saturations.data ? channels : 0);
  if (saturations.data) call.saturations = events.data();
  throwIfRefused(args.env(), conv2dDynamic(call));
  for (size_t i = 0; i < events.size(); ++i) saturations.data[i] += static_cast<double>(events[i]);
  return args.env().Undefined();
}

}  // namespace faultline::binding
