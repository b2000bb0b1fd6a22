// The profile kernels, written once for any vector type V; each kernels/<isa>/profile.cpp includes it with its vector:
//
//   V::F              a register of V::kLanes floats
//   V::kRows          rows of a product tile: 2 · kRows accumulators must fit the registers
//   load, store, broadcast, fma
//
// Everything is in an anonymous namespace: each instruction set gets a copy and exports one symbol.
#pragma once

#include <cstddef>

#include "kernels/profile_kernels.h"

namespace faultline {
namespace {

// ---- Split ----------------------------------------------------------------------------------------------------------

// Element i of a run adds to chain i % kChains, whatever the vector length, so that every instruction set adds alike.
constexpr int64_t kChains = 8;
// Elements worked on at a time; loops of one operand type over arrays of this length are what compilers vectorize.
constexpr int64_t kSplitBlock = 64;

struct SplitChains {
  double roundingSquared[kChains] = {};
  double clippingSquared[kChains] = {};
  double clipped[kChains] = {};
};

struct SplitBlock {
  float x[kSplitBlock] = {};
  float rounding[kSplitBlock];
  float clipping[kSplitBlock];
  int32_t q[kSplitBlock];
};

void splitBlock(const AffineParams& params, double inverse, SplitBlock& block, SplitChains& chains) {
  // Round half to even: at 1.5 · 2^23 the spacing of floats is 1.
  constexpr float kSpacingOne = 0x1.8p23f;
  const float scale = params.scale;
  const double wideScale = scale;
  const float zeroPoint = static_cast<float>(params.zeroPoint);
  const float qmax = static_cast<float>(params.qmax);
  float steps[kSplitBlock];
  float beyond[kSplitBlock];  // q − u
  for (int64_t i = 0; i < kSplitBlock; ++i) {
    steps[i] = (block.x[i] / scale + kSpacingOne) - kSpacingOne;
    const float u = steps[i] + zeroPoint;
    const float low = u > 0.0f ? u : 0.0f;
    const float code = low < qmax ? low : qmax;
    block.q[i] = static_cast<int32_t>(code);
    beyond[i] = code - u;
  }
  for (int64_t i = 0; i < kSplitBlock; i += kChains) {
#pragma omp simd
    for (int64_t j = 0; j < kChains; ++j) {
      const double r = wideScale * static_cast<double>(steps[i + j]) - static_cast<double>(block.x[i + j]);
      const double clip = static_cast<double>(beyond[i + j]);
      block.rounding[i + j] = static_cast<float>(r);
      block.clipping[i + j] = static_cast<float>(wideScale * clip);
      chains.roundingSquared[j] += (r * inverse) * (r * inverse);
      chains.clippingSquared[j] += clip * clip;
      chains.clipped[j] += clip != 0.0 ? 1.0 : 0.0;
    }
  }
}

SplitSums split(const float* x, int64_t n, const AffineParams& params, uint8_t* q, float* rounding, float* clipping) {
  const double inverse = 1.0 / static_cast<double>(params.scale);
  SplitChains chains;
  for (int64_t begin = 0; begin < n; begin += kSplitBlock) {
    // The zeros that fill the last block are exact and add nothing.
    const int64_t count = n - begin < kSplitBlock ? n - begin : kSplitBlock;
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    SplitBlock block;
    __builtin_memcpy(block.x, x + begin, bytes);
    splitBlock(params, inverse, block, chains);
    for (int64_t i = 0; i < count; ++i) q[begin + i] = static_cast<uint8_t>(block.q[i]);
    __builtin_memcpy(rounding + begin, block.rounding, bytes);
    __builtin_memcpy(clipping + begin, block.clipping, bytes);
  }
  SplitSums sums;
  for (int64_t j = 0; j < kChains; ++j) {
    sums.roundingSquared += chains.roundingSquared[j];
    sums.clippingSquared += chains.clippingSquared[j];
    sums.clipped += static_cast<int64_t>(chains.clipped[j]);
  }
  return sums;
}

// ---- Products -------------------------------------------------------------------------------------------------------

// `rows` rows and all 32 lanes of a panel, two registers of lanes at a time.
template <class V, int rows>
inline void productTile(const float* a, int64_t lda, int64_t k, const float* panel, float* out) {
  for (int64_t lane = 0; lane < kProfileLanes; lane += 2 * V::kLanes) {
    typename V::F acc[rows][2];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) acc[r][0] = acc[r][1] = V::broadcast(0.0f);
    const float* b = panel + lane;
    for (int64_t i = 0; i < k; ++i, b += kProfileLanes) {
      const typename V::F low = V::load(b);
      const typename V::F high = V::load(b + V::kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const typename V::F factor = V::broadcast(a[r * lda + i]);
        acc[r][0] = V::fma(factor, low, acc[r][0]);
        acc[r][1] = V::fma(factor, high, acc[r][1]);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      V::store(out + r * kProfileLanes + lane, acc[r][0]);
      V::store(out + r * kProfileLanes + lane + V::kLanes, acc[r][1]);
    }
  }
}

// The rows that a full tile leaves over, by halves of a tile.
template <class V, int rows>
inline void productRest(const float* a, int64_t lda, int64_t left, int64_t k, const float* panel, float* out) {
  for (; left >= rows; left -= rows, a += rows * lda, out += rows * kProfileLanes) {
    productTile<V, rows>(a, lda, k, panel, out);
  }
  if constexpr (rows > 1) productRest<V, rows / 2>(a, lda, left, k, panel, out);
}

template <class V>
void product(const float* a, int64_t lda, int64_t rows, int64_t k, const float* panel, float* out) {
  productRest<V, V::kRows>(a, lda, rows, k, panel, out);
}

template <class V>
void depthwise(const float* a, int64_t lda, int64_t tapStep, int64_t rows, int64_t k, const float* panel, float* out) {
  for (int64_t r = 0; r < rows; ++r, a += lda, out += kProfileLanes) {
    for (int64_t lane = 0; lane < kProfileLanes; lane += V::kLanes) {
      typename V::F acc = V::broadcast(0.0f);
      for (int64_t i = 0; i < k; ++i) {
        acc = V::fma(V::load(a + i * tapStep + lane % kPanel), V::load(panel + i * kProfileLanes + lane), acc);
      }
      V::store(out + lane, acc);
    }
  }
}

// ---- Sums -----------------------------------------------------------------------------------------------------------

template <bool kClips, bool kSaturates>
void accumulateAs(const ProfileTile& tile, double* __restrict sums) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    const float* signal = tile.signal + row * kProfileLanes;
    const float* rounding = tile.rounding + row * kProfileLanes;
    const float* clipping = kClips ? tile.clipping + row * kProfileLanes : nullptr;
    const float* exact = tile.exact + row * tile.ld;
    const float* saturated = kSaturates ? tile.saturated + row * tile.ld : nullptr;
    double error[kPanel];
    double terms[kTermCount][kPanel];
#pragma omp simd
    for (int64_t n = 0; n < kPanel; ++n) {
      const double y = signal[n];
      const double quantized = kSaturates ? saturated[n] : exact[n];
      error[n] = quantized - y;
      terms[kActivationRounding][n] = rounding[n];
      terms[kActivationClipping][n] = kClips ? clipping[n] : 0.0;
      terms[kWeightRounding][n] = signal[kPanel + n];
      terms[kCross][n] = static_cast<double>(rounding[kPanel + n]) + (kClips ? clipping[kPanel + n] : 0.0);
      terms[kSaturation][n] = kSaturates ? quantized - static_cast<double>(exact[n]) : 0.0;
      sums[kSignalSquared * kPanel + n] += y * y;
      sums[kQuantizedSquared * kPanel + n] += quantized * quantized;
      sums[kSignalQuantized * kPanel + n] += y * quantized;
    }
#pragma omp simd
    for (int64_t n = 0; n < kPanel; ++n) {
      const double e = error[n];
      const double size = __builtin_fabs(e);
      double& largest = sums[kErrorMax * kPanel + n];
      sums[kError * kPanel + n] += e;
      sums[kErrorSquared * kPanel + n] += e * e;
      largest = size > largest ? size : largest;
    }
    for (int term = 0; term < kTermCount; ++term) {
      if ((term == kActivationClipping && !kClips) || (term == kSaturation && !kSaturates)) continue;
      double* own = sums + (kFirstTerm + term * kSumsPerTerm) * kPanel;
#pragma omp simd
      for (int64_t n = 0; n < kPanel; ++n) {
        const double t = terms[term][n];
        const double size = __builtin_fabs(t);
        own[n] += t * t;
        own[kPanel + n] += t * error[n];
        own[2 * kPanel + n] = size > own[2 * kPanel + n] ? size : own[2 * kPanel + n];
      }
    }
  }
}

void accumulate(const ProfileTile& tile, double* sums) {
  if (tile.clipping) {
    tile.saturated ? accumulateAs<true, true>(tile, sums) : accumulateAs<true, false>(tile, sums);
  } else {
    tile.saturated ? accumulateAs<false, true>(tile, sums) : accumulateAs<false, false>(tile, sums);
  }
}

template <class V>
constexpr ProfileKernels profileKernels() {
  return {split, product<V>, depthwise<V>, accumulate};
}

}  // namespace
}  // namespace faultline
