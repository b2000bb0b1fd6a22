// What every instruction set provides: one table of functions, filled by kernels/<isa>/ and chosen in dispatch/.
//
// All tables give identical results: int32 accumulators are exact, and the way from an accumulator to a float is one
// fixed sequence of fp32 operations. With c = acc − zeroPoint[m] · sum[n] (exact int32):
//
//   one scale a channel:  y = fma(float(c), rowScale[m] · scale[n], bias[n])
//   scales by group g:    t = fma(float(c_g), scale[g, n], t) for g = 0, 1, …, from t = 0;  y = fma(t, rowScale[m],
//   bias[n]) then                  y = y + residual[m, n]                     (when there is one)
//                         y = y > clipMin ? y : clipMin;  y = y < clipMax ? y : clipMax
//
// bias is +0 where absent. int4 accumulators are 16 · acc and are shifted back before anything else.
#pragma once

#include <cstdint>

#include "core/cpu.h"
#include "quant/affine.h"
#include "quant/packed_matrix.h"

namespace faultline {

// Rows of activations that share one entry of the address table.
inline constexpr int64_t kRowBlock = 16;

struct Epilogue {
  const float* bias = nullptr;      // [N]
  const float* residual = nullptr;  // same shape and leading dimension as the output
  float clipMin = -__builtin_inff();
  float clipMax = __builtin_inff();
};

// One product of `rows` quantized rows with the panels [panelBegin, panelEnd) of a packed matrix.
struct GemmCall {
  // a[i · weights->kBlocks + b] is the address of row 16·i, k-block b: 64 activations, then the next row aRowStride
  // bytes on. Bytes past K inside the last block may hold anything (their weights are zero). Rows past `rows` in the
  // last row block are never read.
  const uint8_t* const* a = nullptr;
  int64_t aRowStride = kBlockK;
  int64_t rows = 0;
  const PackedMatrix* weights = nullptr;
  int64_t panelBegin = 0;
  int64_t panelEnd = 0;
  const int32_t* zeroPoint = nullptr;  // [rows]
  const float* rowScale = nullptr;     // [rows]; unused for int32 output
  // Exactly one of out and acc is set. Element (m, n) is at [m · ld + n]; residual uses the same index.
  float* out = nullptr;
  int32_t* acc = nullptr;  // c, the zero-point-corrected accumulator; one-scale-a-channel matrices only
  int64_t ld = 0;
  Epilogue epilogue;
};

struct KernelTable {
  Isa isa;
  int kGroup;  // the packed layout this table reads

  // Extends [*min, *max] by x[0 … n). Returns false when an element is NaN or infinite (the range is then meaningless).
  bool (*scanRange)(const float* x, int64_t n, float* min, float* max);

  // q[i] = clamp(round(x[i] / scale) + zeroPoint, 0, qmax), the quotient correctly rounded to fp32 first.
  // x lies in the range that params were chosen for. Element i goes to out[(i / 64) · blockStride + i % 64];
  // blockStride = 64 is a plain array. Exactly n bytes are written.
  void (*quantizeRow)(const float* x, int64_t n, const AffineParams& params, uint8_t* out, int64_t blockStride);

  void (*gemm)(const GemmCall& call);
};

// Each returns null when its file was not compiled for this architecture.
const KernelTable* scalarKernels();
const KernelTable* avx2Kernels();
const KernelTable* avx512vnniKernels();
const KernelTable* amxInt8Kernels();
const KernelTable* neonDotprodKernels();
const KernelTable* neonI8mmKernels();

}  // namespace faultline
