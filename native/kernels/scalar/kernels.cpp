// The readable reference: plain loops for any processor. Every other table is tested against this one.
#include <cmath>

#include "kernels/kernel.h"

namespace faultline {
namespace {

bool scanRange(const float* x, int64_t n, float* min, float* max) {
  float lo = *min, hi = *max, poison = 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
    poison += x[i] * 0.0f;  // NaN as soon as one element is NaN or infinite
  }
  *min = lo;
  *max = hi;
  return poison == 0.0f;
}

void quantizeRow(const float* x, int64_t n, const AffineParams& params, uint8_t* out, int64_t blockStride) {
  for (int64_t i = 0; i < n; ++i) {
    int32_t q = static_cast<int32_t>(std::nearbyint(x[i] / params.scale)) + params.zeroPoint;
    q = q < 0 ? 0 : q > params.qmax ? params.qmax : q;
    out[(i / kBlockK) * blockStride + i % kBlockK] = static_cast<uint8_t>(q);
  }
}

// Σ a · w over k in [begin, end) for one row and one channel.
int32_t dot(const GemmCall& call, int64_t row, int64_t channel, int64_t begin, int64_t end) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
  int32_t acc = 0;
  for (int64_t k = begin; k < end; ++k) {
    const int32_t a = blocks[k / kBlockK][row % kRowBlock * call.aRowStride + k % kBlockK];
    acc += a * packedCode(w, channel, k);
  }
  return acc;
}

float finish(const Epilogue& e, float y, int64_t index) {
  if (e.residual) y += e.residual[index];
  y = y > e.clipMin ? y : e.clipMin;
  return y < e.clipMax ? y : e.clipMax;
}

void gemm(const GemmCall& call) {
  const PackedMatrix& w = *call.weights;
  const int64_t nEnd = call.panelEnd * kPanel < w.n ? call.panelEnd * kPanel : w.n;
  for (int64_t m = 0; m < call.rows; ++m) {
    for (int64_t n = call.panelBegin * kPanel; n < nEnd; ++n) {
      const int64_t index = m * call.ld + n;
      const float bias = call.epilogue.bias ? call.epilogue.bias[n] : 0.0f;
      if (w.blockSize > 0) {
        float t = 0.0f;
        for (int64_t g = 0; g < w.scaleGroups; ++g) {
          const int64_t at = g * w.paddedN() + n;
          const int64_t end = (g + 1) * w.blockSize < w.k ? (g + 1) * w.blockSize : w.k;
          const int32_t c = dot(call, m, n, g * w.blockSize, end) - call.zeroPoint[m] * w.sums.data()[at];
          t = std::fmaf(static_cast<float>(c), w.scales.data()[at], t);
        }
        call.out[index] = finish(call.epilogue, std::fmaf(t, call.rowScale[m], bias), index);
        continue;
      }
      const int32_t c = dot(call, m, n, 0, w.k) - call.zeroPoint[m] * w.sums.data()[n];
      if (call.acc) {
        call.acc[index] = c;
      } else {
        const float scale = call.rowScale[m] * w.scales.data()[n];
        call.out[index] = finish(call.epilogue, std::fmaf(static_cast<float>(c), scale, bias), index);
      }
    }
  }
}

constexpr KernelTable kTable = {Isa::scalar, 4, scanRange, quantizeRow, gemm};

}  // namespace

const KernelTable* scalarKernels() { return &kTable; }

}  // namespace faultline
