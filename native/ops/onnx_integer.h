// ONNX MatMulInteger and QLinearMatMul on the exact kernels, one matrix at a time; the binding walks batches.
#pragma once

#include <cstdint>

#include "core/status.h"
#include "ops/integer_tile.h"

namespace faultline {

// Packs B[k, n], u8 or s8 as `isSigned` says. Zero points as in packIntegerWeights.
void packMatmulB(const uint8_t* b, bool isSigned, int64_t k, int64_t n, const int32_t* zeroPoint, int64_t step,
                 IntegerWeights* out);

struct IntegerMatmulArgs {
  const char* operation = "matMulInteger";
  const uint8_t* a = nullptr;  // [m, k]: u8, or s8 (aSigned)
  bool aSigned = false;
  int64_t m = 0;
  const int32_t* aZeroPoint = nullptr;  // row i has entry i · aZeroPointStep; null: 0
  int64_t aZeroPointStep = 0;
  const IntegerWeights* b = nullptr;
  // Either the accumulators, or codes as `requantize` says.
  int32_t* acc = nullptr;  // [m, n]
  uint8_t* codes = nullptr;
  Requantize requantize;
};

// c[m, n] = Σ_k (a − za[m])(b − zb[n]). Refuses a K whose sums could leave int32.
Status integerMatmul(const IntegerMatmulArgs& args);

}  // namespace faultline
