// NEON: the product around the instruction that multiplies. An ISA file gives
//
//   template <int R, bool kInt4> struct Sums: R rows × 16 channels of accumulators
//     kOffset             what it subtracts from the activations: c = sum + (kOffset − zeroPoint) · Σ weights
//     clear()
//     add(a, stride, b)   16 k: row r's activations at a + r · stride, weights at b (256 bytes, int4 128)
//     row(r, v)           channels 4·v … 4·v + 3 of row r; int4 sums are 16 · acc
#pragma once

#include "kernels/neon/epilogue.h"

namespace faultline {
namespace {

constexpr int kMaxRows = 4;
constexpr int kVectors = kPanel / kVector;
constexpr int64_t kStep = 16;  // k at a time: one register of activations, four lines of weights
constexpr int64_t kStepsPerBlock = kBlockK / kStep;

// Adds the steps [begin, end) of one panel.
template <class Sums>
FAULTLINE_INLINE void multiplySteps(Sums& sums, const GemmCall& call, int64_t row, const uint8_t* b, int64_t blockBytes,
                                    int64_t begin, int64_t end) {
  const uint8_t* const* blocks = call.a + row / kRowBlock * call.weights->kBlocks;
  const int64_t offset = row % kRowBlock * call.aRowStride;
  const int64_t stepBytes = blockBytes / kStepsPerBlock;
  for (int64_t step = begin; step < end;) {
    const int64_t block = step / kStepsPerBlock;
    const int64_t inBlock = step % kStepsPerBlock;
    const uint8_t* a = blocks[block] + offset + inBlock * kStep;
    const uint8_t* w = b + block * blockBytes + inBlock * stepBytes;
    const int64_t left = end - step;
    const int64_t steps = left < kStepsPerBlock - inBlock ? left : kStepsPerBlock - inBlock;
    for (int64_t i = 0; i < steps; ++i) sums.add(a + i * kStep, call.aRowStride, w + i * stepBytes);
    step += steps;
  }
}

// Channels 4·v … of row r, corrected for the zero point.
template <class Sums>
FAULTLINE_INLINE int32x4_t corrected(const Sums& sums, const GemmCall& call, int64_t row, int r, int v,
                                     const int32_t* weightSums) {
  int32x4_t c = sums.row(r, v);
  if constexpr (Sums::kIsInt4) c = vshrq_n_s32(c, 4);
  return vmlaq_n_s32(c, vld1q_s32(weightSums), Sums::kOffset - call.zeroPoint[row + r]);
}

// R rows × one panel, one scale a channel.
template <int R, class Sums>
void multiply(const GemmCall& call, int64_t row, int64_t panel) {
  const PackedMatrix& w = *call.weights;
  Sums sums;
  sums.clear();
  const int64_t steps = (call.runs.groups * w.kGroup + kStep - 1) / kStep;
  for (int64_t run = call.runs.begin; run < call.runs.end; run += call.runs.step) {
    const int64_t step = run * kStepsPerBlock;
    multiplySteps(sums, call, row, w.panel(panel), w.blockBytes(), step, step + steps);
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = panel * kPanel + v * kVector;
    const int64_t count = w.n - channel;
    if (count <= 0) break;
    const float32x4_t scales = vld1q_f32(w.scales.data() + channel);
    const float32x4_t bias = biasOf(call.epilogue, channel, count);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      const int64_t index = (row + r) * call.ld + channel;
      const int32x4_t c = corrected(sums, call, row, r, v, call.sums + channel);
      if (call.acc) {
        storeHead(call.acc + index, c, count);
      } else {
        const float32x4_t scale = vmulq_n_f32(scales, call.rowScale[row + r]);
        finish(call.epilogue, vfmaq_f32(bias, vcvtq_f32_s32(c), scale), call.out, index, count);
      }
    }
  }
}

// Scales by group of K: whole steps, each group's sum is corrected and added in fp32.
template <int R, class Sums>
void multiplyGrouped(const GemmCall& call, int64_t row, int64_t panel) {
  const PackedMatrix& w = *call.weights;
  const int64_t steps = (w.k + kStep - 1) / kStep;
  const int64_t stepsPerGroup = w.blockSize / kStep;
  float32x4_t total[R][kVectors];
  for (auto& vectors : total) {
    for (float32x4_t& t : vectors) t = vdupq_n_f32(0.0f);
  }
  for (int64_t g = 0; g < w.scaleGroups; ++g) {
    Sums sums;
    sums.clear();
    const int64_t end = (g + 1) * stepsPerGroup < steps ? (g + 1) * stepsPerGroup : steps;
    multiplySteps(sums, call, row, w.panel(panel), w.blockBytes(), g * stepsPerGroup, end);
    const int64_t at = g * w.paddedN() + panel * kPanel;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const float32x4_t scales = vld1q_f32(w.scales.data() + at + v * kVector);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const int32x4_t c = corrected(sums, call, row, r, v, w.sums.data() + at + v * kVector);
        total[r][v] = vfmaq_f32(total[r][v], vcvtq_f32_s32(c), scales);
      }
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const int64_t channel = panel * kPanel + v * kVector;
    const int64_t count = w.n - channel;
    if (count <= 0) break;
    const float32x4_t bias = biasOf(call.epilogue, channel, count);
    for (int r = 0; r < R; ++r) {
      const float32x4_t y = vfmaq_n_f32(bias, total[r][v], call.rowScale[row + r]);
      finish(call.epilogue, y, call.out, (row + r) * call.ld + channel, count);
    }
  }
}

template <template <int, bool> class Sums, int R>
void runTile(const GemmCall& call, int64_t row, int64_t panel) {
  const bool int4 = call.weights->storage == WeightStorage::int4;
  if (call.weights->blockSize > 0) {
    int4 ? multiplyGrouped<R, Sums<R, true>>(call, row, panel) : multiplyGrouped<R, Sums<R, false>>(call, row, panel);
  } else {
    int4 ? multiply<R, Sums<R, true>>(call, row, panel) : multiply<R, Sums<R, false>>(call, row, panel);
  }
}

template <template <int, bool> class Sums>
void gemm(const GemmCall& call) {
  static_assert(kRowBlock % kMaxRows == 0);
  for (int64_t panel = call.panelBegin; panel < call.panelEnd; ++panel) {
    for (int64_t row = 0; row < call.rows; row += kMaxRows) {
      switch (call.rows - row) {
        case 1:
          runTile<Sums, 1>(call, row, panel);
          break;
        case 2:
          runTile<Sums, 2>(call, row, panel);
          break;
        case 3:
          runTile<Sums, 3>(call, row, panel);
          break;
        default:
          runTile<Sums, 4>(call, row, panel);
      }
    }
  }
}

}  // namespace
}  // namespace faultline
