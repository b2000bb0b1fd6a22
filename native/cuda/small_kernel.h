// Products of few rows, where reading the weights is all the work, and products with scales by group of K.
//
// A warp computes one channel of up to kRows rows. Each lane takes 32 consecutive k at a time (two halves of 16), so a
// warp walks K in steps of 1024. Partial sums are exact integers: the lanes' order does not matter; scales by group are
// applied to finished groups in the order g = 0, 1, …, as the CPU does.
#pragma once

#include "cuda/output.h"

namespace faultline::cuda {

template <bool kInt4>
struct SmallKernel {
  static constexpr int kThreads = 256;
  static constexpr int kSharedBytes = 0;
  static constexpr int kRows = 8;
  static constexpr int kLaneK = 32;
  static constexpr int kHalfK = 16;
  static constexpr int kStepK = kWarp * kLaneK;

  // Grid: x kRows rows, y eight channels (one a warp).
  struct Params {
    const uint8_t* a;  // [rows][kBytes] codes, zeros past K
    int64_t rows;
    const uint8_t* b;  // as GemmKernel's, one group
    int64_t n;
    int64_t paddedN;
    int64_t kBytes;  // a multiple of 64
    int64_t k;
    int64_t blockSize;  // a power of two ≥ 16: scales[g][paddedN], sums[g][paddedN]; 0: one scale a channel
    Output output;
  };

  // The two halves' sums for one row: weights w[half · 4 + i].
  static FAULTLINE_DEVICE void dotLane(const uint8_t* codes, const uint32_t (&w)[8], int32_t (&sums)[2]) {
    for (int half = 0; half < 2; ++half) {
      const Bytes16 a = *reinterpret_cast<const Bytes16*>(codes + half * kHalfK);
      FAULTLINE_UNROLL
      for (int i = 0; i < 4; ++i) sums[half] = dotU8S8(a.word[i], w[half * 4 + i], sums[half]);
    }
  }
  static FAULTLINE_DEVICE void loadWeights(const uint8_t* b, uint32_t (&w)[8]) {
    const Bytes16 first = *reinterpret_cast<const Bytes16*>(b);
    if constexpr (kInt4) {
      FAULTLINE_UNROLL
      for (int i = 0; i < 4; ++i) {
        w[i] = first.word[i] << 4 & 0xf0f0f0f0u;
        w[4 + i] = first.word[i] & 0xf0f0f0f0u;
      }
    } else {
      const Bytes16 second = *reinterpret_cast<const Bytes16*>(b + kChunkBytes);
      FAULTLINE_UNROLL
      for (int i = 0; i < 4; ++i) {
        w[i] = first.word[i];
        w[4 + i] = second.word[i];
      }
    }
  }
  static constexpr int kChunkBytes = 16;
  static FAULTLINE_DEVICE int32_t unscaled(int32_t sum) { return kInt4 ? sum >> 4 : sum; }

  // t = fma(float(c_g), scale[g], t) for the groups whose k this step finishes. Every lane follows the same t.
  static FAULTLINE_DEVICE void addGroups(const Params& p, int64_t channel, int32_t zeroPoint, int64_t stepK,
                                         int32_t (&sums)[2], int32_t* carried, float* t) {
    const auto take = [&](int32_t sum, int64_t group) {
      const int64_t at = group * p.paddedN + channel;
      *t = fusedMultiplyAdd(toFloat(unscaled(sum) - zeroPoint * p.output.sums[at]), p.output.scales[at], *t);
    };
    if (p.blockSize == kHalfK) {
      for (int from = 0; from < kWarp; ++from) {
        for (int half = 0; half < 2; ++half) {
          const int32_t sum = shuffleFrom(sums[half], from);
          const int64_t k = stepK + from * kLaneK + half * kHalfK;
          if (k < p.k) take(sum, k / kHalfK);
        }
      }
      return;
    }
    const int lanes = p.blockSize < kStepK ? static_cast<int>(p.blockSize / kLaneK) : kWarp;  // a group has in a step
    int32_t sum = sums[0] + sums[1];
    for (int mask = 1; mask < lanes; mask *= 2) sum += shuffleXor(sum, mask);
    if (p.blockSize <= kStepK) {
      for (int from = 0; from < kWarp; from += lanes) {
        const int32_t whole = shuffleFrom(sum, from);
        const int64_t k = stepK + from * kLaneK;
        if (k < p.k) take(whole, k / p.blockSize);
      }
      return;
    }
    *carried += sum;
    const int64_t end = stepK + kStepK;
    if (end % p.blockSize == 0 || end >= p.k) {
      take(*carried, stepK / p.blockSize);
      *carried = 0;
    }
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t channel = static_cast<int64_t>(cta.y) * (kThreads / kWarp) + cta.warp();
    if (channel >= p.n) return;  // the whole warp
    const int64_t firstRow = static_cast<int64_t>(cta.x) * kRows;
    const int lane = cta.lane();
    const uint8_t* b = p.b + channel * (kInt4 ? p.kBytes / 2 : p.kBytes);
    int32_t acc[kRows] = {};
    float t[kRows] = {};
    for (int64_t stepK = 0; stepK < p.kBytes; stepK += kStepK) {
      const int64_t k = stepK + lane * kLaneK;
      const bool inside = k < p.kBytes;
      uint32_t w[8] = {};
      if (inside) loadWeights(b + (kInt4 ? k / 2 : k), w);
      FAULTLINE_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const int64_t row = firstRow + r;
        if (row >= p.rows) break;
        int32_t sums[2] = {0, 0};
        if (inside) dotLane(p.a + row * p.kBytes + k, w, sums);
        if (p.blockSize > 0) {
          addGroups(p, channel, p.output.zeroPoint[row / p.output.rowsPerParam], stepK, sums, &acc[r], &t[r]);
        } else {
          acc[r] += sums[0] + sums[1];
        }
      }
    }
    FAULTLINE_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const int64_t row = firstRow + r;
      if (row >= p.rows) break;
      if (p.blockSize > 0) {
        if (lane != 0) continue;
        const float bias = p.output.bias ? p.output.bias[channel] : 0.0f;
        const float scale = p.output.rowScale[row / p.output.rowsPerParam];
        clipAndStore(p.output, fusedMultiplyAdd(t[r], scale, bias), row * p.output.ld + channel);
        continue;
      }
      for (int mask = kWarp / 2; mask > 0; mask /= 2) acc[r] += shuffleXor(acc[r], mask);
      if (lane == 0) storeOutput(p.output, unscaled(acc[r]), row, channel, channel);
    }
  }
};

// Depthwise convolution: one output of one channel a thread, neighbouring threads on neighbouring channels.
struct DepthwiseKernel {
  static constexpr int kThreads = 256;
  static constexpr bool kIndependent = true;
  static constexpr int kSharedBytes = 0;
  struct Params {
    const uint8_t* codes;  // [samples][paddedH][paddedW][pixelBytes]
    int64_t imageBytes, rowBytes, pixelBytes;
    int64_t outPixels, outW;
    int64_t kernelH, kernelW;
    int64_t strideH, strideW, dilationH, dilationW;
    int64_t channels;       // output channels
    int64_t multiplier;     // output channels per input channel
    const int8_t* weights;  // [kernelH · kernelW][channels]
    int64_t rows;           // samples · outPixels
    Output output;
  };

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t i = static_cast<int64_t>(cta.x) * kThreads + cta.thread;
    if (i >= p.rows * p.channels) return;
    const int64_t row = i / p.channels;
    const int64_t channel = i % p.channels;
    const int64_t pixel = row % p.outPixels;
    const uint8_t* window = p.codes + row / p.outPixels * p.imageBytes + pixel / p.outW * p.strideH * p.rowBytes +
                            pixel % p.outW * p.strideW * p.pixelBytes + channel / p.multiplier;
    int32_t acc = 0;
    for (int64_t kh = 0; kh < p.kernelH; ++kh) {
      for (int64_t kw = 0; kw < p.kernelW; ++kw) {
        const int32_t a = window[kh * p.dilationH * p.rowBytes + kw * p.dilationW * p.pixelBytes];
        acc += a * p.weights[(kh * p.kernelW + kw) * p.channels + channel];
      }
    }
    storeOutput(p.output, acc, row, channel, channel);
  }
};

}  // namespace faultline::cuda
