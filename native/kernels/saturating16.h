// What processors without a four-way u8·s8 dot product compute: the instruction triple vpmaddubsw, vpmaddwd, vpaddd.
//
// vpmaddubsw adds the products of two neighbouring bytes and saturates that sum to int16; the rest is exact:
//
//   acc[m, n] = Σ_j sat16(a[m, 2j] · w[n, 2j] + a[m, 2j + 1] · w[n, 2j + 1])
//
// Pairs are (0, 1), (2, 3), … along K. That is how the AVX2 and AVX-512 (no VNNI) u8s8 kernels of ONNX Runtime (MLAS:
// the packed product and the matrix-vector product take k in quads from 0, two pairs a quad) and of oneDNN (quads of
// input channels) pair their operands, and how PackedMatrix lays weights out for kGroup 4 and 8 alike.
//
// A pair saturates only when |w[2j]| + |w[2j + 1]| ≥ 129: 255 · 128 = 32640 ≤ 32767. Weights in −64 … 64 (reduceRange)
// and int4 weights never do.
#pragma once

#include <cstdint>

#include "quant/packed_matrix.h"

namespace faultline {

// Rows of quantized activations with one panel of int8 weights, k in [kBegin, kEnd): one group of scales, or all of K.
struct Saturating16Call {
  const uint8_t* const* a = nullptr;  // as in GemmCall: a[(row / 16) · kBlocks + block]
  int64_t aRowStride = kBlockK;
  int64_t rows = 0;
  const PackedMatrix* weights = nullptr;  // int8 storage
  int64_t panel = 0;
  int64_t kBegin = 0;  // a multiple of 16
  int64_t kEnd = 0;
  int32_t* acc = nullptr;          // [rows, 16]: the sums above, no zero point
  int64_t* saturations = nullptr;  // [16]: raised by the number of pairs whose exact sum is not the saturated one
};

using Saturating16Kernel = void (*)(const Saturating16Call& call);

// kernels/<isa>/saturating16.cpp. NEON has no such instruction to be fast with and uses the scalar one.
extern const Saturating16Kernel scalarSaturating16;
extern const Saturating16Kernel avx2Saturating16;
extern const Saturating16Kernel avx512vnniSaturating16;

}  // namespace faultline
