// The readable reference of depthwise convolution: plain loops for any processor.
#include <cmath>

#include "kernels/kernel.h"

namespace faultline {
namespace {

void interleaveRows(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t r = 0; r < kTapRows; ++r) out[kTapRows * i + r] = rows[r][i];
  }
}

void row(const DepthwiseCall& call) {
  const int64_t padded = (call.channels + kPanel - 1) / kPanel * kPanel;
  const Epilogue& e = call.epilogue;
  for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
    for (int64_t n = 0; n < call.channels; ++n) {
      int32_t c = call.init[n];
      for (int64_t g = 0; g < call.rowGroups; ++g) {
        for (int64_t kw = 0; kw < call.kernelW; ++kw) {
          const uint8_t* a = call.taps[g] + (pixel * call.pixelStep + kw * call.tapStep + n) * kTapRows;
          const int8_t* w = call.weights + ((g * call.kernelW + kw) * padded + n) * kTapRows;
          for (int64_t r = 0; r < kTapRows; ++r) c += a[r] * w[r];
        }
      }
      const int64_t index = pixel * call.channels + n;
      if (call.acc) {
        call.acc[index] = c;
        continue;
      }
      float y = std::fmaf(static_cast<float>(c), call.scale[n], e.bias ? e.bias[n] : 0.0f);
      if (e.residual) y += e.residual[index];
      y = y < e.clipMin ? e.clipMin : y;
      call.out[index] = y > e.clipMax ? e.clipMax : y;
    }
  }
}

}  // namespace

const DepthwiseKernels scalarDepthwise = {interleaveRows, row};

}  // namespace faultline
