// Weights as they come from JavaScript, Float32Array to be quantized here or Int8Array codes with their scales.
#pragma once

#include <cstdint>
#include <vector>

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

// Reads argument `weights` (position 0) and, with codes, `scales` at position scalesAt.
// blockSize: −1 per tensor, 0 per channel, else per group of that many k. reduceRange: see
// quantizeWeights.
WeightSource readWeights(const Args& args, int64_t n, int64_t k, int bits, WeightStorage storage, int64_t blockSize,
                         size_t scalesAt, bool reduceRange);

}  // namespace faultline::binding
