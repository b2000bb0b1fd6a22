// What every instruction set provides: one table of functions, filled by kernels/<isa>/ and chosen in dispatch/.
//
// All tables give identical results: int32 accumulators are exact, and the way from an accumulator to a float is one
// fixed sequence of fp32 operations. With c = acc − zeroPoint[m] · sum[n] (exact int32):
//
//   one scale a channel:   y = fma(float(c), rowScale[m] · scale[n], bias[n])
//
//   scales by group g:     t = 0;  t = fma(float(c_g), scale[g, n], t) for g = 0, 1, …
//                          y = fma(t, rowScale[m], bias[n])
//
//   then, in either case:  y = y + residual[m, n], where there is one
//                          y = y < clipMin ? clipMin : y
//                          y = y > clipMax ? clipMax : y
//
// so that a NaN stays one, and infinite limits change nothing: kernels may leave them out.
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

// Work for the vector unit that a caller has ready while a product runs elsewhere (AMX tiles): step() does a small
// share, about as much as fits beside one k-block of a 32 × 32 block. A kernel calls it once for each, or never.
struct SideWork {
  void (*step)(void* context) = nullptr;
  void* context = nullptr;
};

// What the first or last row of a product need not be multiplied with: the first or last `blocks` k-blocks of every
// run. All activations there are the zero point, so a kernel may do it all the same. `sums`: GemmCall's without them.
struct PaddedEdge {
  int64_t blocks = 0;
  const int32_t* sums = nullptr;
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
  // What is multiplied: all of K, or (one scale a channel only) the part of it that some runs cover, with the sums of
  // its codes, [panels · 16]. Kernels read neither activations nor entries of the table that belong to other k-blocks.
  KRuns runs;
  const int32_t* sums = nullptr;
  // Optional, with several rows that all lie aRowStride apart and have the same parameters, and runs of whole blocks.
  PaddedEdge firstRow, lastRow;
  int64_t panelBegin = 0;
  int64_t panelEnd = 0;
  // For kernels that expand int4 panels before they multiply: 2 · kBlocks · kInt8BlockBytes bytes on a 64-byte
  // boundary. Set with int4 weights; the caller owns it because a kernel file may not contain an allocator.
  uint8_t* expanded = nullptr;
  SideWork sideWork;
  const int32_t* zeroPoint = nullptr;  // [rows]
  const float* rowScale = nullptr;     // [rows]; unused for int32 output
  bool sameParams = false;             // all rows have the same zero point and scale: kernels may read the first only
  // Exactly one of out and acc is set. Element (m, n) is at [m · ld + n]; residual uses the same index.
  float* out = nullptr;
  int32_t* acc = nullptr;  // c, the zero-point-corrected accumulator; one-scale-a-channel matrices only
  int64_t ld = 0;
  Epilogue epilogue;

  void setWeights(const PackedMatrix& w) {
    weights = &w;
    runs = w.runs;
    sums = w.sums.data();
  }
};

// Depthwise convolution works on rows interleaved by four, a row group, so that one 32-bit lane holds four vertical
// taps of a channel: taps[(column · channels + channel) · 4 + r] is row r of the group. Each row is quantized into one
// group and stays there for all windows that reach it. A window begins in row 0 … 3 of its first group; where it begins
// in row 2 or 3, kernels first put the lower half of a group and the upper half of the next together (two instructions
// serve all taps of a lane), so that weights exist for two places only.
inline constexpr int64_t kTapRows = 4;
inline constexpr int64_t kTapShifts = 2;

// Output rows whose windows begin in one row group, all channels. With c = init[n] + Σ taps · weights, the sequence
// above follows.
struct DepthwiseCall {
  const uint8_t* const* taps = nullptr;  // [rowGroups + 1], all readable
  int64_t rows = 1;                      // output rows
  int64_t firstTop = 0;                  // window i begins in row firstTop + i · topStep < 4 of taps[0]
  int64_t topStep = 1;
  int64_t rowGroups = 1;  // ⌈(kernelH + 1) / 4⌉
  int64_t kernelW = 1;
  int64_t pixelStep = 0;  // 32-bit lanes between the windows of neighbouring output pixels: strideW · channels
  int64_t tapStep = 0;    // lanes between neighbouring columns of one window: dilationW · channels
  int64_t pixels = 0;     // output pixels of a row
  int64_t channels = 0;
  int64_t paddedChannels = 0;  // to a multiple of 16
  // [top % 2][rowGroups][kernelW][paddedChannels][4]: tap (4 · group + r − top % 2, kw) at byte r, 0 outside.
  const int8_t* weights = nullptr;
  const int32_t* init = nullptr;  // [paddedChannels] −zeroPoint · Σ weights
  const float* scale = nullptr;   // [paddedChannels] rowScale · scale[n]
  // Exactly one of out and acc is set: [pixels, channels], output rows rowStep elements apart; residual uses the same
  // index.
  float* out = nullptr;
  int32_t* acc = nullptr;
  int64_t rowStep = 0;
  Epilogue epilogue;
};

// Rows to be quantized together. A row that is not `inside` counts as zeros, but its address has to be readable, too.
struct TapRows {
  const float* x[kTapRows];
  bool inside[kTapRows];
};

// Depthwise convolution of a plane, in ONNX's layout: a 32-bit lane is one output pixel. With rows interleaved by four
// as above, each column of a window is one offset, whatever the stride (ops/onnx_integer_depthwise.cpp), and
//   c[i] = init + Σ_k taps[offsets[k] + 4 · i + r] · weights[4 · k + r] − weightZero · Σ_k taps[…] · ones[4 · k + r]
// modulo 2^32, r = 0 … 3.
struct PlaneCall {
  const uint8_t* taps = nullptr;
  const int64_t* offsets = nullptr;  // [columns]
  const int8_t* weights = nullptr;   // [columns][4]
  const int8_t* ones = nullptr;      // [columns][4] 1 where the window has a row; null: weightZero is 0
  int64_t columns = 0;
  int32_t init = 0;
  int32_t weightZero = 0;
  int64_t lanes = 0;
  // Exactly one of acc and codes is set: c, or the low byte of round(v) + zeroPoint, half to even, where v is
  // float(c) · multiplier, then v > lo ? v : lo, then v < hi ? v : hi.
  int32_t* acc = nullptr;
  uint8_t* codes = nullptr;
  float multiplier = 1.0f;
  float lo = 0.0f;
  float hi = 0.0f;
  int32_t zeroPoint = 0;
};

// Plane kernels work on whole vectors: they may read and write this many lanes (or bytes of a row) past the last.
inline constexpr int64_t kLaneSlack = 64;

struct DepthwiseKernels {
  // out[4 · i + r] = the code of element i of row r, as quantizeRow makes it, for i < n. Nothing else is written.
  void (*quantizeTaps)(const TapRows& rows, int64_t n, const AffineParams& params, uint8_t* out);
  // May read up to 60 bytes past the taps.
  void (*multiply)(const DepthwiseCall& call);
  // out[4 · i + r] = rows[r][i], i < n.
  void (*interleaveRows)(const uint8_t* const rows[kTapRows], int64_t n, uint8_t* out);
  void (*multiplyPlane)(const PlaneCall& call);
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

  const DepthwiseKernels* depthwise = nullptr;
};

// Each returns null when its file was not compiled for this architecture. They run on every processor, so the tables
// are constants: code that fills one would be compiled for the instruction set itself.
const KernelTable* scalarKernels();
const KernelTable* avx2Kernels();
const KernelTable* avx512vnniKernels();
const KernelTable* amxInt8Kernels();
const KernelTable* neonDotprodKernels();
const KernelTable* neonI8mmKernels();

// kernels/<isa>/depthwise.cpp; AMX has no use for tiles here and takes the AVX-512 ones.
extern const DepthwiseKernels scalarDepthwise;
extern const DepthwiseKernels avx2Depthwise;
extern const DepthwiseKernels avx512vnniDepthwise;
extern const DepthwiseKernels neonDotprodDepthwise;
extern const DepthwiseKernels neonI8mmDepthwise;

}  // namespace faultline
