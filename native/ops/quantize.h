// Quantization as separate operations: choosing parameters, fp32 → codes, codes → fp32, at any granularity.
//
// The dynamic products quantize inside themselves; these serve everything else: weights, calibration, ONNX
// QuantizeLinear and DequantizeLinear, and reading codes back.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace faultline {

// Which elements of a tensor share parameters. The tensor is seen as [outer, axis, inner], row-major, and axis is cut
// into blocks (the last may be shorter). Element (o, a, i) has the parameters at
//   ((sharedByOuter ? 0 : o) · blocks + a / block) · (perInner ? inner : 1) + (perInner ? i : 0).
struct ParamView {
  int64_t outer = 1;
  int64_t axis = 1;
  int64_t inner = 1;
  int64_t block = 1;
  bool sharedByOuter = false;
  bool perInner = false;

  int64_t blocks() const { return (axis + block - 1) / block; }
  int64_t elements() const { return outer * axis * inner; }
  int64_t params() const { return (sharedByOuter ? 1 : outer) * blocks() * (perInner ? inner : 1); }
};

// The codes lo … hi of a scheme.
//                 signed                      unsigned
//   asymmetric    −2^(b−1) … 2^(b−1) − 1      0 … 2^b − 1
//   symmetric     ±(2^(b−1) − 1)              1 … 2^b − 1, the signed codes + 2^(b−1)
struct CodeRange {
  int32_t lo = 0;
  int32_t hi = 255;
};
struct Scheme {
  bool symmetric = false;
  bool isSigned = false;
};
CodeRange codeRange(const Scheme& scheme, int bits);

enum class CodeType { u8, s8, u16, s16, s32 };

struct ChooseQParamsArgs {
  const float* x = nullptr;
  ParamView view;
  int64_t rowLength = 1;  // length of the last axis: errors name rows
  Scheme scheme;
  int bits = 8;
  const uint8_t* paramBits = nullptr;  // [params] instead of bits
  float* scale = nullptr;              // [params]
  int32_t* zeroPoint = nullptr;        // [params]
};

// Parameters from the minimum and maximum, zero included (quant/affine.h): 8 bits, asymmetric, unsigned and one range
// are ONNX DynamicQuantizeLinear. Signed codes and zero points are the unsigned ones − 2^(b−1). Fails on NaN and
// infinity, naming the row.
Status chooseQParams(const ChooseQParamsArgs& args);

struct QuantizeArgs {
  const char* operation = "quantize";
  const float* x = nullptr;
  ParamView view;
  int64_t rowLength = 1;
  const float* scale = nullptr;        // [params], finite, not 0
  const int32_t* zeroPoint = nullptr;  // [params], inside the code range; null: 0
  CodeRange range;                     // of every parameter …
  const uint8_t* paramBits = nullptr;  // … or [params]: the range of `scheme` at these bits
  Scheme scheme;
  bool allowInfinity = false;  // saturates, as ONNX has it; NaN is refused always
  CodeType type = CodeType::u8;
  void* out = nullptr;
};

// q = clamp(round(x / scale) + zeroPoint, lo, hi): the quotient rounds to fp32, then half to even.
Status quantize(const QuantizeArgs& args);

struct DequantizeArgs {
  const char* operation = "dequantize";
  const void* codes = nullptr;
  CodeType type = CodeType::u8;
  ParamView view;
  const float* scale = nullptr;        // [params]
  const int32_t* zeroPoint = nullptr;  // [params]; null: 0
  float* out = nullptr;
};

// x = scale · float(q − zeroPoint): one exact difference, one conversion, one product.
Status dequantize(const DequantizeArgs& args);

}  // namespace faultline
