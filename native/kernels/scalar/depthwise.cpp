// The readable reference of depthwise convolution: plain loops for any processor.
#include <cmath>

#include "kernels/kernel.h"

namespace faultline {
namespace {

// Round half to even: at 1.5 · 2^23 the spacing of floats is 1, so the addition rounds.
int32_t roundToInteger(float x) {
  constexpr float kSpacingOne = 0x1.8p23f;
  return static_cast<int32_t>((x + kSpacingOne) - kSpacingOne);
}

void quantizeTaps_f32_u8_scalar(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out) {
  for (int64_t r = 0; r < kTapRows; ++r) {
    const float* x = rows.x[r];
    for (int64_t i = 0; i < n; ++i) {
      int32_t q = (rows.inside[r] ? roundToInteger(x[i] / params.scale) : 0) + params.zeroPoint;
      q = q < 0 ? 0 : q;
      out[kTapRows * i + r] = static_cast<uint8_t>(q > params.qmax ? params.qmax : q);
    }
  }
}

// Σ taps · weights of one output; `top` is the row of taps[0] where the window begins.
int32_t sumOfWindow(const DepthwiseCall& call, int64_t top, int64_t pixel, int64_t channel) {
  const int64_t first = top / kTapShifts * kTapShifts;  // where the weights of row group 0 begin
  const int8_t* weights =
      call.weights + top % kTapShifts * call.rowGroups * call.kernelW * call.paddedChannels * kTapRows;
  int32_t c = 0;
  for (int64_t g = 0; g < call.rowGroups; ++g) {
    for (int64_t kw = 0; kw < call.kernelW; ++kw) {
      const int64_t lane = pixel * call.pixelStep + kw * call.tapStep + channel;
      const int8_t* w = weights + ((g * call.kernelW + kw) * call.paddedChannels + channel) * kTapRows;
      for (int64_t r = 0; r < kTapRows; ++r) {
        const int64_t row = first + g * kTapRows + r;
        c += call.taps[row / kTapRows][lane * kTapRows + row % kTapRows] * w[r];
      }
    }
  }
  return c;
}

void depthwise_u8s8_s32_scalar(const DepthwiseCall& call) {
  const Epilogue& e = call.epilogue;
  for (int64_t row = 0; row < call.rows; ++row) {
    for (int64_t pixel = 0; pixel < call.pixels; ++pixel) {
      for (int64_t n = 0; n < call.channels; ++n) {
        const int32_t c = call.init[n] + sumOfWindow(call, call.firstTop + row * call.topStep, pixel, n);
        const int64_t index = row * call.rowStep + pixel * call.channels + n;
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
}

void interleaveRows_u8_scalar(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t r = 0; r < kTapRows; ++r) out[kTapRows * i + r] = rows[r][i];
  }
}

void plane_u8s8_s32_scalar(const PlaneCall& call) {
  for (int64_t i = 0; i < call.lanes; ++i) {
    int32_t products = 0, sum = 0;
    for (int64_t k = 0; k < call.columns; ++k) {
      for (int64_t r = 0; r < kTapRows; ++r) {
        const int32_t tap = call.taps[call.offsets[k] + kTapRows * i + r];
        products += tap * call.weights[kTapRows * k + r];
        if (call.ones) sum += tap * call.ones[kTapRows * k + r];
      }
    }
    const uint32_t correction = static_cast<uint32_t>(call.weightZero) * static_cast<uint32_t>(sum);
    const auto c =
        static_cast<int32_t>(static_cast<uint32_t>(call.init) + static_cast<uint32_t>(products) - correction);
    if (call.acc) {
      call.acc[i] = c;
      continue;
    }
    float v = static_cast<float>(c) * call.multiplier;
    v = v > call.lo ? v : call.lo;
    v = v < call.hi ? v : call.hi;
    call.codes[i] = static_cast<uint8_t>(roundToInteger(v) + call.zeroPoint);
  }
}

}  // namespace

const DepthwiseKernels scalarDepthwise = {quantizeTaps_f32_u8_scalar, depthwise_u8s8_s32_scalar,
                                          interleaveRows_u8_scalar, plane_u8s8_s32_scalar};

}  // namespace faultline
