// The larger float32 operations of a network: matrix products, batch and layer normalization, pooling, softmax.
#include "binding/args.h"
#include "binding/dnn_errors.h"
#include "binding/float_operations.h"
#include "binding/geometry.h"
#include "dnn/matmul.h"
#include "float/batch_norm.h"
#include "float/pool.h"
#include "float/rows.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 31;

int64_t dimension(const Args& args, size_t i, const char* name) { return args.integer(i, name, 1, kMaxSize); }

// (a, b, bias? [n], c, batch, m, n, k, transA, transB, sharedA, sharedB)
Napi::Value matmulBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kA, kB, kBias, kC, kBatch, kM, kN, kK, kTransA, kTransB, kSharedA, kSharedB };
  const Args args(info, "matmul");
  const dnn::MatmulShape s{dimension(args, kBatch, "batch"), dimension(args, kM, "m"), dimension(args, kN, "n"),
                           dimension(args, kK, "k"),         args.boolean(kTransA),    args.boolean(kTransB),
                           args.boolean(kSharedA),           args.boolean(kSharedB)};
  const auto a = args.array<const float>(kA, "a", args.elements("a", {s.sharedA ? 1 : s.batch, s.m, s.k}));
  const auto b = args.array<const float>(kB, "b", args.elements("b", {s.sharedB ? 1 : s.batch, s.k, s.n}));
  const auto bias = args.optionalArray<const float>(kBias, "bias", args.elements("bias", {s.n}));
  const auto c = args.array<float>(kC, "c", args.elements("c", {s.batch, s.m, s.n}));
  withDnnErrors(args.env(), "matmul", [&] { dnn::matmul(s, a.data, b.data, bias.data, c.data); });
  return args.env().Undefined();
}

// (x, rows, channels, mean, variance)
Napi::Value batchStatisticsBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kX, kRows, kChannels, kMean, kVariance };
  const Args args(info, "batchStatistics");
  const int64_t rows = dimension(args, kRows, "rows"), channels = dimension(args, kChannels, "channels");
  const auto x = args.array<const float>(kX, "x", args.elements("shape", {rows, channels}));
  const auto mean = args.array<float>(kMean, "mean", static_cast<size_t>(channels));
  const auto variance = args.array<float>(kVariance, "variance", static_cast<size_t>(channels));
  batchStatistics(rows, channels, x.data, mean.data, variance.data);
  return args.env().Undefined();
}

// The first arguments of batchNorm and of its gradient.
enum BatchNorm : size_t { kX, kRows, kChannels, kScale, kShift, kMean, kVariance, kEpsilon, kRelu, kAfter };

BatchNormArgs batchNormArgs(const Args& args) {
  BatchNormArgs a{};
  a.rows = dimension(args, kRows, "rows");
  a.channels = dimension(args, kChannels, "channels");
  a.x = args.array<const float>(kX, "x", args.elements("shape", {a.rows, a.channels})).data;
  a.scale = args.array<const float>(kScale, "scale", static_cast<size_t>(a.channels)).data;
  a.shift = args.array<const float>(kShift, "shift", static_cast<size_t>(a.channels)).data;
  a.epsilon = static_cast<float>(args.number(kEpsilon, "epsilon"));
  a.relu = args.boolean(kRelu);
  return a;
}

// (x, rows, channels, scale, shift, mean, variance, epsilon, relu, residual?, y)
Napi::Value batchNormBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kResidual = kAfter, kY };
  const Args args(info, "batchNorm");
  BatchNormArgs a = batchNormArgs(args);
  const auto mean = args.array<const float>(kMean, "mean", static_cast<size_t>(a.channels));
  const auto variance = args.array<const float>(kVariance, "variance", static_cast<size_t>(a.channels));
  a.residual =
      args.optionalArray<const float>(kResidual, "residual", args.elements("shape", {a.rows, a.channels})).data;
  const auto y = args.array<float>(kY, "y", args.elements("shape", {a.rows, a.channels}));
  batchNorm(a, mean.data, variance.data, y.data);
  return args.env().Undefined();
}

// (x, rows, channels, scale, shift, mean, variance, epsilon, relu, training, y?, dy, dx?, dScale, dShift, dResidual?)
Napi::Value batchNormBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kTraining = kAfter, kY, kDy, kDx, kDScale, kDShift, kDResidual };
  const Args args(info, "batchNorm backward");
  const BatchNormArgs a = batchNormArgs(args);
  const size_t all = args.elements("shape", {a.rows, a.channels});
  const auto mean = args.array<const float>(kMean, "mean", static_cast<size_t>(a.channels));
  const auto variance = args.array<const float>(kVariance, "variance", static_cast<size_t>(a.channels));
  if (a.relu && args.absent(kY) && !args.absent(kDResidual))
    args.refuse("y", "the result, with relu and residual", "nothing");
  const BatchNormGradients g{args.array<const float>(kDy, "dy", all).data,
                             args.optionalArray<const float>(kY, "y", all).data,
                             args.optionalArray<float>(kDx, "dx", all).data,
                             args.array<float>(kDScale, "dScale", static_cast<size_t>(a.channels)).data,
                             args.array<float>(kDShift, "dShift", static_cast<size_t>(a.channels)).data,
                             args.optionalArray<float>(kDResidual, "dResidual", all).data};
  batchNormBackward(a, mean.data, variance.data, args.boolean(kTraining), g);
  return args.env().Undefined();
}

PoolGeometry poolGeometry(const Args& args, size_t i) {
  const Geometry g = readGeometry(args, i, GeometryField::count);
  throwIfRefused(args.env(), checkPool("pool", g, {.leastN = 1, .argument = "geometry"}));
  return {.n = g.n,
          .h = g.h,
          .w = g.w,
          .c = g.c,
          .outH = g.outH,
          .outW = g.outW,
          .kernelH = g.kernelH,
          .kernelW = g.kernelW,
          .strideH = g.strideH,
          .strideW = g.strideW,
          .padTop = g.padTop,
          .padLeft = g.padLeft,
          .padBottom = g.padBottom,
          .padRight = g.padRight,
          .dilationH = g.dilationH,
          .dilationW = g.dilationW};
}

// (geometry, x, y, where: Int32Array)
Napi::Value maxPoolBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kGeometry, kX, kY, kWhere };
  const Args args(info, "maxPool");
  const PoolGeometry g = poolGeometry(args, kGeometry);
  maxPool(g, args.array<const float>(kX, "x", static_cast<size_t>(g.inputs())).data,
          args.array<float>(kY, "y", static_cast<size_t>(g.outputs())).data,
          args.array<int32_t>(kWhere, "where", static_cast<size_t>(g.outputs())).data);
  return args.env().Undefined();
}

// (geometry, where, dy, dx)
Napi::Value maxPoolBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kGeometry, kWhere, kDy, kDx };
  const Args args(info, "maxPool backward");
  const PoolGeometry g = poolGeometry(args, kGeometry);
  const auto where = args.array<const int32_t>(kWhere, "where", static_cast<size_t>(g.outputs()));
  maxPoolBackward(g, where.data, args.array<const float>(kDy, "dy", static_cast<size_t>(g.outputs())).data,
                  args.array<float>(kDx, "dx", static_cast<size_t>(g.inputs())).data);
  return args.env().Undefined();
}

// (geometry, countPadding, x, y)
Napi::Value averagePoolBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kGeometry, kCountPadding, kX, kY };
  const Args args(info, "averagePool");
  const PoolGeometry g = poolGeometry(args, kGeometry);
  averagePool(g, args.boolean(kCountPadding), args.array<const float>(kX, "x", static_cast<size_t>(g.inputs())).data,
              args.array<float>(kY, "y", static_cast<size_t>(g.outputs())).data);
  return args.env().Undefined();
}

// (geometry, countPadding, dy, dx)
Napi::Value averagePoolBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kGeometry, kCountPadding, kDy, kDx };
  const Args args(info, "averagePool backward");
  const PoolGeometry g = poolGeometry(args, kGeometry);
  averagePoolBackward(g, args.boolean(kCountPadding),
                      args.array<const float>(kDy, "dy", static_cast<size_t>(g.outputs())).data,
                      args.array<float>(kDx, "dx", static_cast<size_t>(g.inputs())).data);
  return args.env().Undefined();
}

// (rows, n, x, y)
Napi::Value softmaxBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRows, kN, kX, kY };
  const Args args(info, "softmax");
  const int64_t rows = dimension(args, kRows, "rows"), n = dimension(args, kN, "n");
  softmax(rows, n, args.array<const float>(kX, "x", args.elements("shape", {rows, n})).data,
          args.array<float>(kY, "y", args.elements("shape", {rows, n})).data);
  return args.env().Undefined();
}

// (rows, n, y, dy, dx)
Napi::Value softmaxBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRows, kN, kY, kDy, kDx };
  const Args args(info, "softmax backward");
  const int64_t rows = dimension(args, kRows, "rows"), n = dimension(args, kN, "n");
  softmaxBackward(rows, n, args.array<const float>(kY, "y", args.elements("shape", {rows, n})).data,
                  args.array<const float>(kDy, "dy", args.elements("shape", {rows, n})).data,
                  args.array<float>(kDx, "dx", args.elements("shape", {rows, n})).data);
  return args.env().Undefined();
}

// (rows, n, epsilon, x, scale, shift?, y, mean, inverse)
Napi::Value layerNormBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRows, kN, kEpsilon, kX, kScale, kShift, kY, kMean, kInverse };
  const Args args(info, "layerNorm");
  const int64_t rows = dimension(args, kRows, "rows"), n = dimension(args, kN, "n");
  layerNorm(rows, n, static_cast<float>(args.number(kEpsilon, "epsilon")),
            args.array<const float>(kX, "x", args.elements("shape", {rows, n})).data,
            args.array<const float>(kScale, "scale", static_cast<size_t>(n)).data,
            args.optionalArray<const float>(kShift, "shift", static_cast<size_t>(n)).data,
            args.array<float>(kY, "y", args.elements("shape", {rows, n})).data,
            args.array<float>(kMean, "mean", static_cast<size_t>(rows)).data,
            args.array<float>(kInverse, "inverse", static_cast<size_t>(rows)).data);
  return args.env().Undefined();
}

// (rows, n, x, scale, mean, inverse, dy, dx, dScale, dShift)
Napi::Value layerNormBackwardBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRows, kN, kX, kScale, kMean, kInverse, kDy, kDx, kDScale, kDShift };
  const Args args(info, "layerNorm backward");
  const int64_t rows = dimension(args, kRows, "rows"), n = dimension(args, kN, "n");
  layerNormBackward(rows, n, args.array<const float>(kX, "x", args.elements("shape", {rows, n})).data,
                    args.array<const float>(kScale, "scale", static_cast<size_t>(n)).data,
                    args.array<const float>(kMean, "mean", static_cast<size_t>(rows)).data,
                    args.array<const float>(kInverse, "inverse", static_cast<size_t>(rows)).data,
                    args.array<const float>(kDy, "dy", args.elements("shape", {rows, n})).data,
                    args.array<float>(kDx, "dx", args.elements("shape", {rows, n})).data,
                    args.array<float>(kDScale, "dScale", static_cast<size_t>(n)).data,
                    args.array<float>(kDShift, "dShift", static_cast<size_t>(n)).data);
  return args.env().Undefined();
}

}  // namespace

void defineNetwork(Napi::Object exports) {
  addFunction<matmulBinding>(exports, "matmul");
  addFunction<batchStatisticsBinding>(exports, "batchStatistics");
  addFunction<batchNormBinding>(exports, "batchNorm");
  addFunction<batchNormBackwardBinding>(exports, "batchNormBackward");
  addFunction<maxPoolBinding>(exports, "maxPool");
  addFunction<maxPoolBackwardBinding>(exports, "maxPoolBackward");
  addFunction<averagePoolBinding>(exports, "averagePool");
  addFunction<averagePoolBackwardBinding>(exports, "averagePoolBackward");
  addFunction<softmaxBinding>(exports, "softmax");
  addFunction<softmaxBackwardBinding>(exports, "softmaxBackward");
  addFunction<layerNormBinding>(exports, "layerNorm");
  addFunction<layerNormBackwardBinding>(exports, "layerNormBackward");
}

}  // namespace faultline::binding
