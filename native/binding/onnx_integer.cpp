#include "ops/onnx_integer.h"

#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "binding/args.h"
#include "binding/operations.h"
#include "dispatch/dispatch.h"
#include "ops/onnx_integer_conv.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxDimension = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxElements = int64_t{1} << 40;

size_t elementsOf(const Args& args, const char* name, std::initializer_list<int64_t> dims) {
  int64_t elements = 1;
  for (const int64_t dim : dims) {
    if (__builtin_mul_overflow(elements, dim, &elements) || elements > kMaxElements) {
      args.refuse(name, "at most 2^40 elements", "more");
    }
  }
  return static_cast<size_t>(elements);
}

// Codes of one byte, u8 or s8.
struct Bytes {
  uint8_t* data;
  bool isSigned;
};
Bytes readBytes(const Args& args, size_t i, const char* name, size_t length) {
  if (args.isArrayOf<int8_t>(i)) {
    return {reinterpret_cast<uint8_t*>(args.array<int8_t>(i, name, length).data), true};
  }
  return {args.array<uint8_t>(i, name, length).data, false};
}

int32_t lowestCode(bool isSigned) { return isSigned ? INT8_MIN : 0; }
int32_t highestCode(bool isSigned) { return isSigned ? INT8_MAX : UINT8_MAX; }

// Zero points of `isSigned` codes: absent, one (step 0), or `each` of them (step 1).
struct ZeroPoints {
  const int32_t* data = nullptr;
  int64_t step = 0;
};
ZeroPoints readZeroPoints(const Args& args, size_t i, const char* name, size_t each, bool isSigned) {
  if (args.absent(i)) return {};
  const auto span = args.array<const int32_t>(i, name, 1);
  const size_t count = span.length == 1 ? 1 : each;
  if (span.length < count) args.refuse(name, std::to_string(each) + " elements", std::to_string(span.length));
  for (size_t j = 0; j < count; ++j) {
    if (span.data[j] < lowestCode(isSigned) || span.data[j] > highestCode(isSigned)) {
      args.refuse(name, isSigned ? "-128 to 127" : "0 to 255", std::to_string(span.data[j]));
    }
  }
  return {span.data, count == 1 ? 0 : 1};
}

// One product of the batch: matrix a by matrix b gives matrix `out`.
struct Product {
  int32_t out;
  int32_t a;
  int32_t b;
};

// What MatMulInteger and QLinearMatMul have in common, at the same places of the argument list:
// (a, aBatches, m, k, aZeroPoint?, b, bBatches, n, bZeroPoint?, products: Int32Array [batches, 3], …)
struct Matmul {
  Matmul(const Args& args, const char* aZeroName, const char* bZeroName)
      : aBatches(args.integer(1, "a", 0, kMaxDimension)),
        m(args.integer(2, "a", 0, kMaxDimension)),
        k(args.integer(3, "K", 1, kMaxDimension)),
        bBatches(args.integer(6, "b", 0, kMaxDimension)),
        n(args.integer(7, "b", 0, kMaxDimension)),
        a(readBytes(args, 0, "a", elementsOf(args, "a", {aBatches, m, k}))),
        b(readBytes(args, 5, "b", elementsOf(args, "b", {bBatches, k, n}))),
        aZero(readZeroPoints(args, 4, aZeroName, elementsOf(args, "a", {aBatches, m}), a.isSigned)),
        bZero(readZeroPoints(args, 8, bZeroName, elementsOf(args, "b", {bBatches, n}), b.isSigned)) {
    const auto list = args.array<const int32_t>(9, "products", 0);
    batches = static_cast<int64_t>(list.length / 3);
    products = reinterpret_cast<const Product*>(list.data);
    for (int64_t i = 0; i < batches; ++i) {
      const Product& p = products[i];
      if (p.out < 0 || p.out >= batches || p.a < 0 || p.a >= aBatches || p.b < 0 || p.b >= bBatches) {
        args.refuse("products", "indices of matrices", "others");
      }
    }
  }

  size_t outputs(const Args& args) const { return elementsOf(args, "output", {batches, m, n}); }

  // Runs the products in their order; each b is packed when it differs from the one before. finish(call, product)
  // sets the output.
  template <typename Finish>
  void run(const Args& args, const char* operation, Finish&& finish) const {
    if (m == 0 || n == 0) return;
    IntegerWeights packed;
    int32_t current = -1;
    for (int64_t i = 0; i < batches; ++i) {
      const Product& p = products[i];
      if (p.b != current) {
        packMatmulB(b.data + p.b * k * n, b.isSigned, k, n, bZero.data ? bZero.data + p.b * n * bZero.step : nullptr,
                    bZero.step, &packed);
        current = p.b;
      }
      IntegerMatmulArgs call;
      call.operation = operation;
      call.a = a.data + p.a * m * k;
      call.aSigned = a.isSigned;
      call.m = m;
      call.aZeroPoint = aZero.data ? aZero.data + p.a * m * aZero.step : nullptr;
      call.aZeroPointStep = aZero.step;
      call.b = &packed;
      finish(call, p);
      throwIfRefused(args.env(), integerMatmul(call));
    }
  }

  int64_t aBatches, m, k, bBatches, n;
  Bytes a, b;
  ZeroPoints aZero, bZero;
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

// [n, c, h, w, outC, kernelH, kernelW, groups, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom,
// padRight]
IntegerConvShape readConvShape(const Args& args, size_t i) {
  constexpr size_t kNumbers = 16;
  const int32_t* v = args.array<const int32_t>(i, "shape", kNumbers).data;
  for (size_t j = 0; j < kNumbers; ++j) {
    const bool mayBeZero = j == 0 || j == 2 || j == 3 || j >= 12;
    if (v[j] < (mayBeZero ? 0 : 1)) args.refuse("shape", mayBeZero ? "0 or more" : "1 or more", std::to_string(v[j]));
  }
  IntegerConvShape s{
      v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], {v[8], v[9], v[10], v[11], v[12], v[13], v[14], v[15]}};
  if (s.c % s.groups != 0 || s.outC % s.groups != 0) {
    args.refuse("group", "a divisor of input and output channels", std::to_string(s.groups));
  }
  return s;
}

// What ConvInteger and QLinearConv have in common: (shape, x, xZeroPoint?, w, wZeroPoint?, …)
struct Conv {
  Conv(const Args& args, const char* operation)
      : shape(readConvShape(args, 0)),
        x(readBytes(args, 1, "x", elementsOf(args, "x", {shape.n, shape.c, shape.h, shape.w}))),
        w(readBytes(args, 3, "w", elementsOf(args, "w", {shape.outC, shape.groupC(), shape.kernelH, shape.kernelW}))),
        xZero(readZeroPoints(args, 2, "x_zero_point", 1, x.isSigned)),
        wZero(readZeroPoints(args, 4, "w_zero_point", static_cast<size_t>(shape.outC), w.isSigned)) {
    call.operation = operation;
    call.shape = shape;
    call.x = x.data;
    call.xSigned = x.isSigned;
    call.xZeroPoint = xZero.data ? xZero.data[0] : 0;
  }

  size_t outputs(const Args& args) const {
    return elementsOf(args, "output", {shape.n, shape.outC, shape.outH(), shape.outW()});
  }

  void run(const Args& args) {
    if (outputs(args) == 0) return;
    const std::vector<IntegerWeights> packed = packConvW(w.data, w.isSigned, shape, wZero.data, wZero.step);
    call.w = &packed;
    throwIfRefused(args.env(), integerConv(call));
  }

  IntegerConvShape shape;
  Bytes x, w;
  ZeroPoints xZero, wZero;
  IntegerConvArgs call;
};

}  // namespace

// (…Matmul, y: Int32Array [batches, m, n])
Napi::Value matMulIntegerBinding(const Napi::CallbackInfo& info) {
  const char* operation = "matMulInteger";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  const Matmul matmul(args, "a_zero_point", "b_zero_point");
  int32_t* y = args.array<int32_t>(10, "y", matmul.outputs(args)).data;
  matmul.run(args, operation,
             [&](IntegerMatmulArgs& call, const Product& p) { call.acc = y + p.out * matmul.m * matmul.n; });
  return args.env().Undefined();
}

// (…Matmul, aScale, bScale [bBatches, n], yScale, yZeroPoint, y: Uint8Array | Int8Array [batches, m, n])
// aScale, yScale and yZeroPoint: all of 1 element, or all [batches, m].
Napi::Value qLinearMatMulBinding(const Napi::CallbackInfo& info) {
  const char* operation = "qLinearMatMul";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  const Matmul matmul(args, "a_zero_point", "b_zero_point");
  const Bytes y = readBytes(args, 14, "y", matmul.outputs(args));
  const size_t rows = elementsOf(args, "y", {matmul.batches, matmul.m});
  const size_t columns = elementsOf(args, "b", {matmul.bBatches, matmul.n});
  const bool perRow = args.array<const float>(10, "a_scale", 1).length > 1;
  const size_t rowParams = perRow ? rows : 1;
  Requantize how;
  how.isSigned = y.isSigned;
  how.rowStep = perRow ? 1 : 0;
  how.aScale = args.array<const float>(10, "a_scale", rowParams).data;
  how.bScale = args.array<const float>(11, "b_scale", columns).data;
  how.yScale = args.array<const float>(12, "y_scale", rowParams).data;
  how.yZeroPoint = args.array<const int32_t>(13, "y_zero_point", rowParams).data;
  checkScales(args, "a_scale", how.aScale, rowParams);
  checkScales(args, "b_scale", how.bScale, columns);
  checkScales(args, "y_scale", how.yScale, rowParams);
  readZeroPoints(args, 13, "y_zero_point", rowParams, y.isSigned);
  matmul.run(args, operation, [&](IntegerMatmulArgs& call, const Product& p) {
    const int64_t row = p.out * matmul.m * how.rowStep;
    call.codes = y.data + p.out * matmul.m * matmul.n;
    call.requantize = how;
    call.requantize.aScale += row;
    call.requantize.yScale += row;
    call.requantize.yZeroPoint += row;
    call.requantize.bScale += p.b * matmul.n;
  });
  return args.env().Undefined();
}

// (…Conv, y: Int32Array [n, outC, outH, outW])
Napi::Value convIntegerBinding(const Napi::CallbackInfo& info) {
  const char* operation = "convInteger";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  Conv conv(args, operation);
  conv.call.acc = args.array<int32_t>(5, "y", conv.outputs(args)).data;
  conv.run(args);
  return args.env().Undefined();
}

// (…Conv, xScale [1], wScale [outC], yScale [1], yZeroPoint [1], bias? [outC], y: Uint8Array | Int8Array)
Napi::Value qLinearConvBinding(const Napi::CallbackInfo& info) {
  const char* operation = "qLinearConv";
  const Args args(info, operation);
  throwIfRefused(args.env(), dispatchStatus());
  Conv conv(args, operation);
  const size_t channels = static_cast<size_t>(conv.shape.outC);
  const Bytes y = readBytes(args, 10, "y", conv.outputs(args));
  Requantize& how = conv.call.requantize;
  how.isSigned = y.isSigned;
  how.aScale = args.array<const float>(5, "x_scale", 1).data;
  how.bScale = args.array<const float>(6, "w_scale", channels).data;
  how.yScale = args.array<const float>(7, "y_scale", 1).data;
  how.yZeroPoint = args.array<const int32_t>(8, "y_zero_point", 1).data;
  how.bias = args.optionalArray<const int32_t>(9, "B", channels).data;
  checkScales(args, "x_scale", how.aScale, 1);
  checkScales(args, "w_scale", how.bScale, channels);
  checkScales(args, "y_scale", how.yScale, 1);
  readZeroPoints(args, 8, "y_zero_point", 1, y.isSigned);
  conv.call.codes = y.data;
  conv.run(args);
  return args.env().Undefined();
}

}  // namespace faultline::binding
