// The arithmetic of the error profile (ops/error_profile.h): how each instruction set splits activations into a
// quantized part and its errors, multiplies in fp32, and sums the results.
//
// All sets give identical results. A product is a chain of fp32 fused multiply-adds in the order of k, starting at +0;
// a sum is a chain of fp64 additions in the order of rows, one lane a channel, its terms products of two fp64 numbers
// that were rounded before (no fused multiply-add).
#pragma once

#include <cstdint>

#include "abi/profile.h"
#include "quant/affine.h"
#include "quant/packed_matrix.h"

namespace faultline {

// A panel of profile weights holds, for each k, 16 weights w and then their 16 rounding errors e_w = ŵ − w.
inline constexpr int64_t kProfileLanes = 2 * kPanel;

inline constexpr int kProfileSums = kFirstTerm + kSumsPerTerm * kTermCount;

// Errors of one run of activations in units of the scale.
struct SplitSums {
  double roundingSquared = 0.0;
  double clippingSquared = 0.0;
  int64_t clipped = 0;
};

// Products of one panel: [rows][kProfileLanes], and outputs: row r at [r · ld].
struct ProfileTile {
  int64_t rows = 0;
  const float* signal = nullptr;     // x · w, x · e_w
  const float* rounding = nullptr;   // e_r · w, e_r · e_w
  const float* clipping = nullptr;   // e_c · w, e_c · e_w; null: nothing was clipped
  const float* exact = nullptr;      // ŷ in exact integer arithmetic, 16 channels
  const float* saturated = nullptr;  // ŷ in saturating arithmetic; null: not emulated
  int64_t ld = 0;
};

struct ProfileKernels {
  // With u = round(fl(x / scale)) + zeroPoint and q = clamp(u, 0, qmax): rounding = scale · (u − zeroPoint) − x and
  // clipping = scale · (q − u), computed in fp64 and rounded once to fp32. |x / scale| < 2^22.
  SplitSums (*split)(const float* x, int64_t n, const AffineParams& params, uint8_t* q, float* rounding,
                     float* clipping);

  // out[r][lane] = Σ_k a[r · lda + k] · panel[k][lane].
  void (*product)(const float* a, int64_t lda, int64_t rows, int64_t k, const float* panel, float* out);

  // Depthwise: out[r][lane] = Σ_k a[r · lda + k · tapStep + lane % 16] · panel[k][lane].
  void (*depthwise)(const float* a, int64_t lda, int64_t tapStep, int64_t rows, int64_t k, const float* panel,
                    float* out);

  // Adds the rows of a tile, in order, to sums[kProfileSums][16].
  void (*accumulate)(const ProfileTile& tile, double* sums);
};

// kernels/<isa>/profile.cpp
extern const ProfileKernels scalarProfile;
extern const ProfileKernels avx2Profile;
extern const ProfileKernels avx512vnniProfile;
extern const ProfileKernels neonDotprodProfile;

}  // namespace faultline
