#include "ops/quantize.h"

#include "binding/args.h"
#include "binding/operations.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 40;
// All begin with these; the view's say which elements share parameters (ops/quantize.h).
enum Argument : size_t { kValues, kOuter, kAxis, kInner, kBlock, kSharedByOuter, kPerInner, kAfterView };

ParamView readView(const Args& args) {
  ParamView v;
  v.outer = args.integer(kOuter, "outer", 0, kMaxElements);
  v.axis = args.integer(kAxis, "axis", 0, kMaxElements);
  v.inner = args.integer(kInner, "inner", 0, kMaxElements);
  v.block = args.integer(kBlock, "block", 1, kMaxElements);
  v.sharedByOuter = args.boolean(kSharedByOuter);
  v.perInner = args.boolean(kPerInner);
  args.elements("shape", {v.outer, v.axis, v.inner});
  return v;
}

// One bit width, or one a parameter, which `each` holds then.
const uint8_t* readBits(const Args& args, size_t i, size_t params, int* bits, std::vector<uint8_t>& each) {
  if (args.at(i).IsNumber()) {
    *bits = static_cast<int>(args.integer(i, "bits", kMinBits, kMaxBits));
    return nullptr;
  }
  each = args.copy<uint8_t>(i, "bits", params);
  for (size_t p = 0; p < params; ++p) {
    if (each[p] < kMinBits || each[p] > kMaxBits) {
      args.refuse("bits", "2 to 8", std::to_string(each[p]) + " at index " + std::to_string(p));
    }
  }
  return each.data();
}

// A typed array of codes with `length` elements; s32 only where allowed.
void* readCodes(const Args& args, size_t i, const char* name, size_t length, bool allowS32, CodeType* type) {
  if (args.isArrayOf<int8_t>(i)) {
    *type = CodeType::s8;
    return args.array<int8_t>(i, name, length).data;
  }
  if (args.isArrayOf<uint16_t>(i)) {
    *type = CodeType::u16;
    return args.array<uint16_t>(i, name, length).data;
  }
  if (args.isArrayOf<int16_t>(i)) {
    *type = CodeType::s16;
    return args.array<int16_t>(i, name, length).data;
  }
  if (allowS32 && args.isArrayOf<int32_t>(i)) {
    *type = CodeType::s32;
    return args.array<int32_t>(i, name, length).data;
  }
  *type = CodeType::u8;
  return args.array<uint8_t>(i, name, length).data;
}

}  // namespace

// (x, …view, rowLength, bits: number | Uint8Array [params], symmetric, signed, scale [params], zeroPoint [params])
Napi::Value chooseQParamsBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRowLength = kAfterView, kBits, kSymmetric, kSigned, kScale, kZeroPoint };
  const Args args(info, "chooseQParams");
  ChooseQParamsArgs call;
  call.view = readView(args);
  const size_t params = static_cast<size_t>(call.view.params());
  call.x = args.array<const float>(kValues, "x", static_cast<size_t>(call.view.elements())).data;
  call.rowLength = args.integer(kRowLength, "rowLength", 1, kMaxElements);
  std::vector<uint8_t> each;
  call.paramBits = readBits(args, kBits, params, &call.bits, each);
  call.scheme = {args.boolean(kSymmetric), args.boolean(kSigned)};
  call.scale = args.array<float>(kScale, "scale", params).data;
  call.zeroPoint = args.array<int32_t>(kZeroPoint, "zeroPoint", params).data;
  throwIfRefused(args.env(), chooseQParams(call));
  return args.env().Undefined();
}

// (x, …view, rowLength, scale [params], zeroPoint? [params], bits: number | Uint8Array [params], symmetric, signed,
//  out: Uint8Array | Int8Array)
Napi::Value quantizeBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRowLength = kAfterView, kScale, kZeroPoint, kBits, kSymmetric, kSigned, kOut };
  const Args args(info, "quantize");
  QuantizeArgs call;
  call.view = readView(args);
  const size_t elements = static_cast<size_t>(call.view.elements());
  const size_t params = static_cast<size_t>(call.view.params());
  call.x = args.array<const float>(kValues, "x", elements).data;
  call.rowLength = args.integer(kRowLength, "rowLength", 1, kMaxElements);
  call.scale = args.array<const float>(kScale, "scale", params).data;
  call.zeroPoint = args.optionalArray<const int32_t>(kZeroPoint, "zeroPoint", params).data;
  int bits = kMaxBits;
  std::vector<uint8_t> each;
  call.paramBits = readBits(args, kBits, params, &bits, each);
  call.scheme = {args.boolean(kSymmetric), args.boolean(kSigned)};
  call.range = codeRange(call.scheme, bits);
  if (call.scheme.isSigned) {
    call.type = CodeType::s8;
    call.out = args.array<int8_t>(kOut, "out", elements).data;
  } else {
    call.type = CodeType::u8;
    call.out = args.array<uint8_t>(kOut, "out", elements).data;
  }
  throwIfRefused(args.env(), quantize(call));
  return args.env().Undefined();
}

// (x, …view, rowLength, y_scale [params], y_zero_point? [params], bits: 4 | 8 | 16, y)
Napi::Value quantizeLinearBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRowLength = kAfterView, kScale, kZeroPoint, kBits, kY };
  const Args args(info, "quantizeLinear");
  constexpr int kWidestBits = 16;
  QuantizeArgs call;
  call.operation = "quantizeLinear";
  call.allowInfinity = true;
  call.view = readView(args);
  const size_t elements = static_cast<size_t>(call.view.elements());
  const size_t params = static_cast<size_t>(call.view.params());
  call.x = args.array<const float>(kValues, "x", elements).data;
  call.rowLength = args.integer(kRowLength, "rowLength", 1, kMaxElements);
  call.scale = args.array<const float>(kScale, "y_scale", params).data;
  call.zeroPoint = args.optionalArray<const int32_t>(kZeroPoint, "y_zero_point", params).data;
  const int bits = static_cast<int>(args.integer(kBits, "bits", kMinBits, kWidestBits));
  call.out = readCodes(args, kY, "y", elements, /*allowS32=*/false, &call.type);
  call.scheme.isSigned = call.type == CodeType::s8 || call.type == CodeType::s16;
  if (bits > kMaxBits && (call.type == CodeType::u8 || call.type == CodeType::s8)) {
    args.refuse("y", "an array of 16-bit codes", "one of 8-bit codes");
  }
  call.range = codeRange(call.scheme, bits);
  throwIfRefused(args.env(), quantize(call));
  return args.env().Undefined();
}

// (codes, …view, scale [params], zeroPoint? [params], out: Float32Array)
Napi::Value dequantizeBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kScale = kAfterView, kZeroPoint, kOut };
  const Args args(info, "dequantize");
  DequantizeArgs call;
  call.view = readView(args);
  const size_t elements = static_cast<size_t>(call.view.elements());
  const size_t params = static_cast<size_t>(call.view.params());
  call.codes = readCodes(args, kValues, "codes", elements, /*allowS32=*/true, &call.type);
  call.scale = args.array<const float>(kScale, "scale", params).data;
  call.zeroPoint = args.optionalArray<const int32_t>(kZeroPoint, "zeroPoint", params).data;
  call.out = args.array<float>(kOut, "out", elements).data;
  throwIfRefused(args.env(), dequantize(call));
  return args.env().Undefined();
}

}  // namespace faultline::binding
