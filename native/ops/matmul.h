// Dynamic matrix product: quantizes the rows of x as it goes and multiplies them with packed weights.
#pragma once

#include <cstdint>

#include "core/status.h"
#include "kernels/kernel.h"
#include "quant/packed_matrix.h"

namespace faultline {

struct MatmulDynamicArgs {
  const float* x = nullptr;  // [M, K]
  int64_t m = 0;
  int64_t ldx = 0;                        // elements between rows of x
  const PackedMatrix* weights = nullptr;  // [N, K]
  bool perTensor = false;                 // one range for all rows instead of one a row
  int bits = 8;                           // activation bits of every row …
  const uint8_t* rowBits = nullptr;       // … or [M], one a row (2–8); not with perTensor
  float* out = nullptr;                   // [M, N]
  int32_t* acc = nullptr;                 // [M, N]: the zero-point-corrected accumulators instead of out
  Epilogue epilogue;
  // Emulates processors whose u8·s8 product saturates pairs to 16 bits; see ops/saturating16.h.
  bool saturating16 = false;
  int64_t* saturations = nullptr;  // [N], with saturating16: raised by the events of each output channel
  // Optional results: the parameters each row was quantized with, [M].
  float* rowScale = nullptr;
  int32_t* rowZeroPoint = nullptr;
};

// y[m, n] = Σ_k dequantize(quantize(x))[m, k] · W[n, k] (+ bias, residual, clip). See kernels/kernel.h for the exact
// sequence. Fails when a row holds NaN or infinity (the error names the row).
Status matmulDynamic(const MatmulDynamicArgs& args);

// Integer product: acc[m, n] = Σ_k (a[m, k] − zeroPoint[m]) · W[n, k], a u8 [M, K] with leading dimension lda.
// zeroPoint null: 0.
Status matmulU8(const uint8_t* a, int64_t m, int64_t lda, const PackedMatrix& weights, const int32_t* zeroPoint,
                int32_t* acc);

// The largest K for which no int32 accumulator can overflow with these operand ranges.
// Storage int4 keeps 16 · acc, so its bound is sixteen times tighter on the weight side.
int64_t largestSafeK(int activationBits, int weightMagnitude, WeightStorage storage);

}  // namespace faultline
