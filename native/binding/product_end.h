// The arguments that matmulDynamic and conv2dDynamic share: their places, and how a dynamic product ends.
#pragma once

#include <cstdint>
#include <vector>

#include "binding/args.h"
#include "kernels/kernel.h"
#include "quant/affine.h"

namespace faultline::binding {

// (x, shape: rows or a geometry, weights, out: Float32Array | Int32Array, bits: number | Uint8Array, perTensor, bias?,
//  residual?, clipMin, clipMax, scale?, zeroPoint?, saturating16, saturations?: Float64Array [channels], raised)
struct Product {
  enum : size_t {
    kX,
    kShape,
    kWeights,
    kOut,
    kActivationBits,
    kPerTensor,
    kBias,
    kResidual,
    kClipMin,
    kClipMax,
    kScale,
    kZeroPoint,
    kSaturating16,
    kSaturations
  };
};

// A bit width of each unit (a row, a sample) with a range, checked.
inline std::vector<uint8_t> readUnitBits(const Args& args, size_t i, bool perTensor, size_t units, const char* where) {
  if (perTensor) args.refuse("activationBits", "one number with perTensor ranges", "an array");
  std::vector<uint8_t> bits = args.copy<uint8_t>(i, "activationBits", units);
  for (size_t at = 0; at < units; ++at) {
    if (bits[at] < kMinBits || bits[at] > kMaxBits) {
      args.refuse("activationBits", "2 to 8", std::to_string(bits[at]) + " " + where + " " + std::to_string(at));
    }
  }
  return bits;
}

struct ProductEnd {
  float* out = nullptr;  // or acc
  int32_t* acc = nullptr;
  bool perTensor = false;
  int bits = kMaxBits;
  std::vector<uint8_t> eachBits;
  const uint8_t* unitBits = nullptr;  // [units], of these
  Epilogue epilogue;
  float* scale = nullptr;  // [units], filled
  int32_t* zeroPoint = nullptr;
  bool saturating16 = false;
  Span<double> saturations;     // [channels], raised by
  std::vector<int64_t> events;  // these

  ProductEnd(const Args& args, size_t units, const char* where, size_t channels, size_t outputs) {
    using P = Product;
    if (args.isArrayOf<int32_t>(P::kOut)) {
      acc = args.array<int32_t>(P::kOut, "out", outputs).data;
    } else {
      out = args.array<float>(P::kOut, "out", outputs).data;
    }
    perTensor = args.boolean(P::kPerTensor);
    if (args.at(P::kActivationBits).IsNumber()) {
      bits = static_cast<int>(args.integer(P::kActivationBits, "activationBits", kMinBits, kMaxBits));
    } else {
      eachBits = readUnitBits(args, P::kActivationBits, perTensor, units, where);
      unitBits = eachBits.data();
    }
    epilogue.bias = args.optionalArray<const float>(P::kBias, "bias", channels).data;
    epilogue.residual = args.optionalArray<const float>(P::kResidual, "residual", outputs).data;
    epilogue.clipMin = static_cast<float>(args.number(P::kClipMin, "clip"));
    epilogue.clipMax = static_cast<float>(args.number(P::kClipMax, "clip"));
    scale = args.optionalArray<float>(P::kScale, "scale", units).data;
    zeroPoint = args.optionalArray<int32_t>(P::kZeroPoint, "zeroPoint", units).data;
    saturating16 = args.boolean(P::kSaturating16);
    saturations = args.optionalArray<double>(P::kSaturations, "saturations", channels);
    if (saturations.data) events.resize(channels);
  }

  // Where the product counts, null where not requested.
  int64_t* counts() { return events.empty() ? nullptr : events.data(); }
  void raise() const {
    for (size_t i = 0; i < events.size(); ++i) saturations.data[i] += static_cast<double>(events[i]);
  }
};

}  // namespace faultline::binding
