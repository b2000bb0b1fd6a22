#include "ops/onnx_integer.h"

#include <array>
#include <string>

#include "binding/geometry.h"
#include "binding/integer_args.h"
#include "binding/integer_operand.h"
#include "binding/operations.h"
#include "dispatch/dispatch.h"

namespace faultline::binding {
namespace {

// One product of the batch: matrix a by matrix b gives matrix `out`.
struct Product {
  int32_t out;
  int32_t a;
  int32_t b;
};

// What MatMulInteger and QLinearMatMul have in common, at the same places of the argument list:
// (a, aBatches, m, aZeroPoint?, b: IntegerOperand, products: Int32Array [batches, 3], …)
struct Matmul {
  enum : size_t { kA, kABatches, kM, kAZeroPoint, kB, kProducts, kAfter };
  explicit Matmul(const Args& args)
      : b(IntegerOperandHandle::unwrap(args, kB, "B", /*isConv=*/false)),
        aBatches(args.integer(kABatches, "a", 0, kMaxDimension)),
        m(args.integer(kM, "a", 0, kMaxDimension)),
        a(readBytes(args, kA, "a", args.elements("a", {aBatches, m, b.k}))),
        aZero(readZeroPoints(args, kAZeroPoint, "a_zero_point", args.elements("a", {aBatches, m}), a.isSigned)) {
    const auto list = args.array<const int32_t>(kProducts, "products", 0);
    batches = static_cast<int64_t>(list.length * sizeof(int32_t) / sizeof(Product));
    products = reinterpret_cast<const Product*>(list.data);
    const int64_t bBatches = static_cast<int64_t>(b.matrices.size());
    for (int64_t i = 0; b.n > 0 && i < batches; ++i) {
      const Product& p = products[i];
      if (p.out < 0 || p.out >= batches || p.a < 0 || p.a >= aBatches || p.b < 0 || p.b >= bBatches) {
        args.refuse("products", "indices of matrices", "others");
      }
    }
  }

  size_t outputs(const Args& args) const { return args.elements("output", {batches, m, b.n}); }

  // Runs the products; finish(call, product) sets the output.
  template <typename Finish>
  void run(const Args& args, const char* operation, Finish&& finish) const {
    if (m == 0 || b.n == 0) return;
    for (int64_t i = 0; i < batches; ++i) {
      const Product& p = products[i];
      IntegerMatmulArgs call;
      call.operation = operation;
      call.a = a.data + p.a * m * b.k;
      call.aSigned = a.isSigned;
      call.m = m;
      call.aZeroPoint = aZero.data ? aZero.data + p.a * m * aZero.step : nullptr;
      call.aZeroPointStep = aZero.step;
      call.b = &b.matrices[static_cast<size_t>(p.b)];
      finish(call, p);
      throwIfRefused(args.env(), integerMatmul(call));
    }
  }

  const IntegerOperand& b;
  int64_t aBatches;
  int64_t m;
  Bytes a;
  ZeroPoints aZero;
  int64_t batches = 0;
  const Product* products = nullptr;
};

// Scales are finite; the products of three of them may still leave fp32, and saturate then.
void checkScales(const Args& args, const char* name, const float* scale, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (scale[i] - scale[i] != 0.0f || scale[i] == 0.0f) {
      args.refuse(name, "finite scales other than 0", std::to_string(scale[i]) + " at index " + std::to_string(i));
    }
  }
}

IntegerConvShape readConvShape(const Args& args, size_t i, const char* operation) {
  Geometry g = readGeometry(args, i, GeometryField::outH);
  throwIfRefused(args.env(), checkConvolution(operation, &g, {.leastSide = 0, .argument = "shape"}));
  return {g.n,
          g.c,
          g.h,
          g.w,
          g.outChannels,
          g.kernelH,
          g.kernelW,
          g.groups,
          {g.strideH, g.strideW, g.dilationH, g.dilationW, g.padTop, g.padLeft, g.padBottom, g.padRight}};
}

// What ConvInteger and QLinearConv have in common: (shape, x, xZeroPoint?, w: IntegerOperand, …)
struct Conv {
  enum : size_t { kShape, kX, kXZeroPoint, kW, kAfter };
  Conv(const Args& args, const char* operation)
      : shape(readConvShape(args, kShape, operation)),
        x(readBytes(args, kX, "x", args.elements("x", {shape.n, shape.c, shape.h, shape.w}))),
        xZero(readZeroPoints(args, kXZeroPoint, "x_zero_point", 1, x.isSigned)) {
    const IntegerOperand& w = IntegerOperandHandle::unwrap(args, kW, "w", /*isConv=*/true);
    const auto key = [](const IntegerConvShape& s) { return std::array{s.outC, s.c, s.kernelH, s.kernelW, s.groups}; };
    if (key(w.shape) != key(shape)) args.refuse("w", "weights of this shape", "those of another");
    call.operation = operation;
    call.shape = shape;
    call.x = x.data;
    call.xSigned = x.isSigned;
    call.xZeroPoint = xZero.data ? xZero.data[0] : 0;
    call.w = &w.conv;
  }

  size_t outputs(const Args& args) const {
    return args.elements("output", {shape.n, shape.outC, shape.outH(), shape.outW()});
  }

  void run(const Args& args) const {
    if (outputs(args) > 0) throwIfRefused(args.env(), integerConv(call));
  }

  IntegerConvShape shape;
  Bytes x;
  ZeroPoints xZero;
  IntegerConvArgs call;
};

}  // namespace

// (…Matmul, y: Int32Array [batches, m, n])
Napi::Value matMulIntegerBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kY = Matmul::kAfter };
  const char* operation = "matMulInteger";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  const Matmul matmul(args);
  int32_t* y = args.array<int32_t>(kY, "y", matmul.outputs(args)).data;
  matmul.run(args, operation,
             [&](IntegerMatmulArgs& call, const Product& p) { call.acc = y + p.out * matmul.m * matmul.b.n; });
  return args.env().Undefined();
}

// (…Matmul, aScale, bScale [bBatches, n], yScale, yZeroPoint, y: Uint8Array | Int8Array [batches, m, n])
// aScale, yScale and yZeroPoint: all of 1 element, or all [batches, m].
Napi::Value qLinearMatMulBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kAScale = Matmul::kAfter, kBScale, kYScale, kYZeroPoint, kY };
  const char* operation = "qLinearMatMul";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  const Matmul matmul(args);
  const Bytes y = readBytes(args, kY, "y", matmul.outputs(args));
  const size_t rows = args.elements("y", {matmul.batches, matmul.m});
  const size_t columns = static_cast<size_t>(matmul.b.n) * matmul.b.matrices.size();
  const bool perRow = args.array<const float>(kAScale, "a_scale", 1).length > 1;
  const size_t rowParams = perRow ? rows : 1;
  Requantize how;
  how.isSigned = y.isSigned;
  how.rowStep = perRow ? 1 : 0;
  how.aScale = args.array<const float>(kAScale, "a_scale", rowParams).data;
  how.bScale = args.array<const float>(kBScale, "b_scale", columns).data;
  how.yScale = args.array<const float>(kYScale, "y_scale", rowParams).data;
  how.yZeroPoint = args.array<const int32_t>(kYZeroPoint, "y_zero_point", rowParams).data;
  checkScales(args, "a_scale", how.aScale, rowParams);
  checkScales(args, "b_scale", how.bScale, columns);
  checkScales(args, "y_scale", how.yScale, rowParams);
  readZeroPoints(args, kYZeroPoint, "y_zero_point", rowParams, y.isSigned);
  matmul.run(args, operation, [&](IntegerMatmulArgs& call, const Product& p) {
    const int64_t row = p.out * matmul.m * how.rowStep;
    call.codes = y.data + p.out * matmul.m * matmul.b.n;
    call.requantize = how;
    call.requantize.aScale += row;
    call.requantize.yScale += row;
    call.requantize.yZeroPoint += row;
    call.requantize.bScale += p.b * matmul.b.n;
  });
  return args.env().Undefined();
}

// (…Conv, y: Int32Array [n, outC, outH, outW])
Napi::Value convIntegerBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kY = Conv::kAfter };
  const char* operation = "convInteger";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  Conv conv(args, operation);
  conv.call.acc = args.array<int32_t>(kY, "y", conv.outputs(args)).data;
  conv.run(args);
  return args.env().Undefined();
}

// (…Conv, xScale [1], wScale [outC], yScale [1], yZeroPoint [1], bias? [outC], y: Uint8Array | Int8Array)
Napi::Value qLinearConvBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kXScale = Conv::kAfter, kWScale, kYScale, kYZeroPoint, kBias, kY };
  const char* operation = "qLinearConv";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  Conv conv(args, operation);
  const size_t channels = static_cast<size_t>(conv.shape.outC);
  const Bytes y = readBytes(args, kY, "y", conv.outputs(args));
  Requantize& how = conv.call.requantize;
  how.isSigned = y.isSigned;
  how.aScale = args.array<const float>(kXScale, "x_scale", 1).data;
  how.bScale = args.array<const float>(kWScale, "w_scale", channels).data;
  how.yScale = args.array<const float>(kYScale, "y_scale", 1).data;
  how.yZeroPoint = args.array<const int32_t>(kYZeroPoint, "y_zero_point", 1).data;
  how.bias = args.optionalArray<const int32_t>(kBias, "B", channels).data;
  checkScales(args, "x_scale", how.aScale, 1);
  checkScales(args, "w_scale", how.bScale, channels);
  checkScales(args, "y_scale", how.yScale, 1);
  readZeroPoints(args, kYZeroPoint, "y_zero_point", 1, y.isSigned);
  conv.call.codes = y.data;
  conv.run(args);
  return args.env().Undefined();
}

}  // namespace faultline::binding
