// Batch normalization (Ioffe & Szegedy, arXiv 1502.03167) of channels-last float32 tensors x: [rows, C], where rows
// counts samples and positions, with the sum and the ReLU that follow it in residual networks in the same pass:
//
//   y = relu?((x − mean) · scale / √(variance + epsilon) + shift (+ residual))
//
// Results do not depend on the number of threads.
#pragma once

#include <cstdint>

namespace faultline {

struct BatchNormArgs {
  int64_t rows, channels;
  const float* x;
  const float* scale;     // [C]
  const float* shift;     // [C]
  const float* residual;  // [rows, C] or null
  bool relu;
  float epsilon;
};

// Mean and population variance of every channel, [C] each.
void batchStatistics(int64_t rows, int64_t channels, const float* x, float* mean, float* variance);
// y with these statistics: the batch's in training, the running ones in inference.
void batchNorm(const BatchNormArgs& args, const float* mean, const float* variance, float* y);

struct BatchNormGradients {
  const float* dy;   // of the result, after ReLU
  const float* y;    // the result; needed with relu after a residual, else null
  float* dx;         // may be null
  float* dScale;     // [C]
  float* dShift;     // [C]
  float* dResidual;  // [rows, C] or null; may be dy itself
};

// Gradients; `training`: mean and variance are of this batch, and the gradient runs through them.
void batchNormBackward(const BatchNormArgs& args, const float* mean, const float* variance, bool training,
                       const BatchNormGradients& gradients);

}  // namespace faultline
