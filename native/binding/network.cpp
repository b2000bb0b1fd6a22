// The larger float32 operations of a network: matrix products, batch and layer normalization, pooling, softmax.
#include "binding/args.h"
#include "binding/dnn_errors.h"
#include "binding/float_operations.h"
#include "dnn/matmul.h"
#include "float/batch_norm.h"
#include "float/pool.h"
#include "float/rows.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 31;

size_t size(int64_t a, int64_t b = 1, int64_t c = 1) { return static_cast<size_t>(a * b * c); }

int64_t dimension(const Args& args, size_t i, const char* name) { return args.integer(i, name, 1, kMaxSize); }

// (a, b, bias? [n], c, batch, m, n, k, transA, transB, sharedA, sharedB)
Napi::Value matmulBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmul");
  const dnn::MatmulShape s{dimension(args, 4, "batch"),
                           dimension(args, 5, "m"),
                           dimension(args, 6, "n"),
                           dimension(args, 7, "k"),
                           args.boolean(8),
                           args.boolean(9),
                           args.boolean(10),
                           args.boolean(11)};
  const auto a = args.array<const float>(0, "a", size(s.sharedA ? 1 : s.batch, s.m, s.k));
  const auto b = args.array<const float>(1, "b", size(s.sharedB ? 1 : s.batch, s.k, s.n));
  const auto bias = args.optionalArray<const float>(2, "bias", size(s.n));
  const auto c = args.array<float>(3, "c", size(s.batch, s.m, s.n));
  withDnnErrors(args.env(), "matmul", [&] { dnn::matmul(s, a.data, b.data, bias.data, c.data); });
  return args.env().Undefined();
}

// (x, rows, channels, mean, variance)
Napi::Value batchStatisticsBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "batchStatistics");
  const int64_t rows = dimension(args, 1, "rows"), channels = dimension(args, 2, "channels");
  const auto x = args.array<const float>(0, "x", size(rows, channels));
  const auto mean = args.array<float>(3, "mean", size(channels));
  const auto variance = args.array<float>(4, "variance", size(channels));
  batchStatistics(rows, channels, x.data, mean.data, variance.data);
  return args.env().Undefined();
}

BatchNormArgs batchNormArgs(const Args& args) {
  BatchNormArgs a{};
  a.rows = dimension(args, 1, "rows");
  a.channels = dimension(args, 2, "channels");
  a.x = args.array<const float>(0, "x", size(a.rows, a.channels)).data;
  a.scale = args.array<const float>(3, "scale", size(a.channels)).data;
  a.shift = args.array<const float>(4, "shift", size(a.channels)).data;
  a.epsilon = static_cast<float>(args.number(7, "epsilon"));
  a.relu = args.boolean(8);
  return a;
}

// (x, rows, channels, scale, shift, mean, variance, epsilon, relu, residual?, y)
Napi::Value batchNormBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "batchNorm");
  BatchNormArgs a = batchNormArgs(args);
  const auto mean = args.array<const float>(5, "mean", size(a.channels));
  const auto variance = args.array<const float>(6, "variance", size(a.channels));
  a.residual = args.optionalArray<const float>(9, "residual", size(a.rows, a.channels)).data;
  const auto y = args.array<float>(10, "y", size(a.rows, a.channels));
  batchNorm(a, mean.data, variance.data, y.data);
  return args.env().Undefined();
}

// (x, rows, channels, scale, shift, mean, variance, epsilon, relu, training, y?, dy, dx?, dScale, dShift, dResidual?)
Napi::Value batchNormBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "batchNorm backward");
  const BatchNormArgs a = batchNormArgs(args);
  const size_t all = size(a.rows, a.channels);
  const auto mean = args.array<const float>(5, "mean", size(a.channels));
  const auto variance = args.array<const float>(6, "variance", size(a.channels));
  if (a.relu && args.absent(10) && !args.absent(15)) args.refuse("y", "the result, with relu and residual", "nothing");
  const BatchNormGradients g{args.array<const float>(11, "dy", all).data,
                             args.optionalArray<const float>(10, "y", all).data,
                             args.optionalArray<float>(12, "dx", all).data,
                             args.array<float>(13, "dScale", size(a.channels)).data,
                             args.array<float>(14, "dShift", size(a.channels)).data,
                             args.optionalArray<float>(15, "dResidual", all).data};
  batchNormBackward(a, mean.data, variance.data, args.boolean(9), g);
  return args.env().Undefined();
}

// geometry: Int32Array [n, h, w, c, outH, outW, kernelH, kernelW, strideH, strideW, padTop, padLeft, padBottom,
//  padRight, dilationH, dilationW]
PoolGeometry poolGeometry(const Args& args) {
  const int32_t* f = args.array<const int32_t>(0, "geometry", 16).data;
  for (int i = 0; i < 16; ++i) {
    const int least = i >= 10 && i <= 13 ? 0 : 1;
    if (f[i] < least) args.refuse("geometry", "sizes of at least " + std::to_string(least), std::to_string(f[i]));
  }
  return {f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], f[12], f[13], f[14], f[15]};
}

// (geometry, x, y, where: Int32Array)
Napi::Value maxPoolBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "maxPool");
  const PoolGeometry g = poolGeometry(args);
  maxPool(g, args.array<const float>(1, "x", size(g.inputs())).data, args.array<float>(2, "y", size(g.outputs())).data,
          args.array<int32_t>(3, "where", size(g.outputs())).data);
  return args.env().Undefined();
}

// (geometry, where, dy, dx)
Napi::Value maxPoolBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "maxPool backward");
  const PoolGeometry g = poolGeometry(args);
  const auto where = args.array<const int32_t>(1, "where", size(g.outputs()));
  for (size_t i = 0; i < size(g.outputs()); ++i) {
    if (where.data[i] >= g.h * g.w) args.refuse("where", "places inside the input", std::to_string(where.data[i]));
  }
  maxPoolBackward(g, where.data, args.array<const float>(2, "dy", size(g.outputs())).data,
                  args.array<float>(3, "dx", size(g.inputs())).data);
  return args.env().Undefined();
}

// (geometry, countPadding, x, y)
Napi::Value averagePoolBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "averagePool");
  const PoolGeometry g = poolGeometry(args);
  averagePool(g, args.boolean(1), args.array<const float>(2, "x", size(g.inputs())).data,
              args.array<float>(3, "y", size(g.outputs())).data);
  return args.env().Undefined();
}

// (geometry, countPadding, dy, dx)
Napi::Value averagePoolBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "averagePool backward");
  const PoolGeometry g = poolGeometry(args);
  averagePoolBackward(g, args.boolean(1), args.array<const float>(2, "dy", size(g.outputs())).data,
                      args.array<float>(3, "dx", size(g.inputs())).data);
  return args.env().Undefined();
}

// (rows, n, x, y)
Napi::Value softmaxBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "softmax");
  const int64_t rows = dimension(args, 0, "rows"), n = dimension(args, 1, "n");
  softmax(rows, n, args.array<const float>(2, "x", size(rows, n)).data, args.array<float>(3, "y", size(rows, n)).data);
  return args.env().Undefined();
}

// (rows, n, y, dy, dx)
Napi::Value softmaxBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "softmax backward");
  const int64_t rows = dimension(args, 0, "rows"), n = dimension(args, 1, "n");
  softmaxBackward(rows, n, args.array<const float>(2, "y", size(rows, n)).data,
                  args.array<const float>(3, "dy", size(rows, n)).data, args.array<float>(4, "dx", size(rows, n)).data);
  return args.env().Undefined();
}

// (rows, n, epsilon, x, scale, shift?, y, mean, inverse)
Napi::Value layerNormBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "layerNorm");
  const int64_t rows = dimension(args, 0, "rows"), n = dimension(args, 1, "n");
  layerNorm(rows, n, static_cast<float>(args.number(2, "epsilon")), args.array<const float>(3, "x", size(rows, n)).data,
            args.array<const float>(4, "scale", size(n)).data,
            args.optionalArray<const float>(5, "shift", size(n)).data, args.array<float>(6, "y", size(rows, n)).data,
            args.array<float>(7, "mean", size(rows)).data, args.array<float>(8, "inverse", size(rows)).data);
  return args.env().Undefined();
}

// (rows, n, x, scale, mean, inverse, dy, dx, dScale, dShift)
Napi::Value layerNormBackwardBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "layerNorm backward");
  const int64_t rows = dimension(args, 0, "rows"), n = dimension(args, 1, "n");
  layerNormBackward(
      rows, n, args.array<const float>(2, "x", size(rows, n)).data, args.array<const float>(3, "scale", size(n)).data,
      args.array<const float>(4, "mean", size(rows)).data, args.array<const float>(5, "inverse", size(rows)).data,
      args.array<const float>(6, "dy", size(rows, n)).data, args.array<float>(7, "dx", size(rows, n)).data,
      args.array<float>(8, "dScale", size(n)).data, args.array<float>(9, "dShift", size(n)).data);
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
