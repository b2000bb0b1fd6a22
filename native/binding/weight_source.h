// Weights as they come from JavaScript, Float32Array to be quantized here or Int8Array codes with their scales.
#pragma once

#include <cstdint>
#include <vector>

#include "abi/codes.h"
#include "binding/args.h"
#include "quant/packed_matrix.h"

namespace faultline::binding {

// Checked weights W[n, k]. Codes and scales point into this object or into the caller's arrays.
struct WeightSource {
  const int8_t* codes = nullptr;  // [n, k]
  const float* scales = nullptr;  // [scale groups, n]; null: all 1
  std::vector<int8_t> quantized;
  std::vector<float> chosen;
};

// Where the arguments are that say how weights are quantized. `weights` comes first of all; from `bits` on:
// (bits, int4, blockSize: kScalePerTensor | kScalePerChannel | elements, scales?: Float32Array [scale groups, n] with
//  codes, reduceRange with Float32Array weights).
struct WeightArgs {
  int bits;
  WeightStorage storage;
  int64_t blockSize;
  bool reduceRange;
  size_t scalesAt;

  WeightArgs(const Args& args, size_t bitsAt);
};

WeightSource readWeights(const Args& args, int64_t n, int64_t k, const WeightArgs& how);

}  // namespace faultline::binding
