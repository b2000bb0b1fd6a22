#include "ops/conv2d.h"

#include "binding/geometry.h"
#include "binding/operations.h"
#include "binding/packed_conv_weights.h"
#include "binding/product_end.h"

namespace faultline::binding {

// The arguments of Product, the shape a geometry that ends before kernelH.
Napi::Value conv2dDynamicBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "conv2dDynamic");
  Conv2dDynamicArgs call;
  call.weights = &PackedConvWeightsHandle::unwrap(args, Product::kWeights);
  const ConvWeightShape& shape = call.weights->shape;
  const Geometry g = readGeometry(args, Product::kShape, GeometryField::kernelH);
  call.n = g.n;
  call.h = g.h;
  call.w = g.w;
  call.c = g.c;
  call.window = {g.strideH, g.strideW, g.dilationH, g.dilationW, g.padTop, g.padLeft, g.padBottom, g.padRight};
  Geometry whole = geometryOf(g.n, g.h, g.w, g.c, call.window, shape);
  throwIfRefused(args.env(), checkConv2d(call, &whole));
  call.x = args.array<const float>(Product::kX, "x", static_cast<size_t>(g.n * g.h * g.w * g.c)).data;
  const auto outputs = static_cast<size_t>(g.n * whole.outH * whole.outW * shape.outChannels);
  ProductEnd end(args, static_cast<size_t>(g.n), "for sample", static_cast<size_t>(shape.outChannels), outputs);
  call.out = end.out;
  call.acc = end.acc;
  call.perTensor = end.perTensor;
  call.bits = end.bits;
  call.sampleBits = end.unitBits;
  call.epilogue = end.epilogue;
  call.sampleScale = end.scale;
  call.sampleZeroPoint = end.zeroPoint;
  call.saturating16 = end.saturating16;
  call.saturations = end.counts();
  throwIfRefused(args.env(), conv2dDynamic(call));
  end.raise();
  return args.env().Undefined();
}

}  // namespace faultline::binding
