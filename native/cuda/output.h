// From an accumulator to an output: the one sequence of operations that the CPU kernels have (kernels/kernel.h).
#pragma once

#include "cuda/warp.h"

namespace faultline::cuda {

struct Output {
  const int32_t* sums = nullptr;    // [groups][paddedN] Σ of a channel's weights; scales by group: [scaleGroups][…]
  const float* scales = nullptr;    // as sums
  const float* bias = nullptr;      // [groups · n], optional
  const float* residual = nullptr;  // as out, optional
  float clipMin = 0.0f;
  float clipMax = 0.0f;
  const float* rowScale = nullptr;     // [rows / rowsPerParam]
  const int32_t* zeroPoint = nullptr;  // [rows / rowsPerParam]
  int64_t rowsPerParam = 1;            // consecutive rows quantized with the same parameters
  float* out = nullptr;                // [rows, ld]; exactly one of out and acc is set
  int32_t* acc = nullptr;
  int64_t ld = 0;
};

FAULTLINE_DEVICE void clipAndStore(const Output& o, float y, int64_t index) {
  if (o.residual) y = add(y, o.residual[index]);
  y = y < o.clipMin ? o.clipMin : y;
  o.out[index] = y > o.clipMax ? o.clipMax : y;
}

// One scale a channel. acc: Σ code · weight; at: the channel in sums and scales; channel: in bias and out.
FAULTLINE_DEVICE void storeOutput(const Output& o, int32_t acc, int64_t row, int64_t at, int64_t channel) {
  const int64_t param = row / o.rowsPerParam;
  const int64_t index = row * o.ld + channel;
  const int32_t c = acc - o.zeroPoint[param] * o.sums[at];
  if (o.acc) {
    o.acc[index] = c;
    return;
  }
  const float bias = o.bias ? o.bias[channel] : 0.0f;
  clipAndStore(o, fusedMultiplyAdd(toFloat(c), multiply(o.rowScale[param], o.scales[at]), bias), index);
}

}  // namespace faultline::cuda
