// The readable reference: plain loops for any processor. Every other table is tested against this one.
//
// Built for the baseline of the architecture (SSE2 on x86-64), without intrinsics. The loops run over arrays of fixed
// length, so that a compiler can keep them in whatever vectors the baseline has. There is no fused multiply-add in the
// SSE2 baseline: std::fmaf rounds once all the same, in software where it must.
#include <cmath>

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int kGroup = 4;      // consecutive k that a line of weights holds
constexpr int64_t kLanes = 8;  // independent minima and maxima in a range scan: two SSE registers each

bool scanRange_f32_scalar(const float* x, int64_t n, float* min, float* max) {
  float lo[kLanes], hi[kLanes], poison[kLanes];  // poison: NaN as soon as one element is NaN or infinite
  for (int64_t j = 0; j < kLanes; ++j) {
    lo[j] = *min;
    hi[j] = *max;
    poison[j] = 0.0f;
  }
  const auto take = [&](int64_t j, float v) {
    lo[j] = v < lo[j] ? v : lo[j];
    hi[j] = v > hi[j] ? v : hi[j];
    poison[j] += v * 0.0f;
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) take(j, x[i + j]);
  }
  for (; i < n; ++i) take(0, x[i]);
  bool finite = true;
  for (int64_t j = 0; j < kLanes; ++j) {
    *min = lo[j] < *min ? lo[j] : *min;
    *max = hi[j] > *max ? hi[j] : *max;
    finite = finite && poison[j] == 0.0f;
  }
  return finite;
}

// Round half to even: at 1.5 · 2^23 the spacing of floats is 1, so the addition rounds. Exact for |x| ≤ 2^22; quotients
// are a few hundred at most.
float roundToInteger(float x) {
  constexpr float kSpacingOne = 0x1.8p23f;
  return (x + kSpacingOne) - kSpacingOne;
}

void quantizeRow_f32_u8_scalar(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                               int64_t blockStride) {
  for (; n > 0; n -= kBlockK, x += kBlockK, out += blockStride) {
    const int64_t count = n < kBlockK ? n : kBlockK;
    for (int64_t i = 0; i < count; ++i) {
      int32_t q = static_cast<int32_t>(roundToInteger(x[i] / params.scale)) + params.zeroPoint;
      q = q < 0 ? 0 : q;
      out[i] = static_cast<uint8_t>(q > params.qmax ? params.qmax : q);
    }
  }
}

// One line of a panel: 4 consecutive k of 16 channels, as [k][channel] so that channels are the lanes.
using Line = int16_t[kGroup][kPanel];

void unpackLine(const PackedMatrix& w, const uint8_t* block, int64_t line, Line& out) {
  const bool int4 = w.storage == WeightStorage::int4;
  const uint8_t* bytes = block + (int4 ? line / 2 : line) * kLine;
  // An int4 code is brought to the top of its byte and shifted back down with its sign.
  const int up = int4 && line % 2 == 0 ? 4 : 0;
  const int down = int4 ? 4 : 0;
  for (int64_t n = 0; n < kPanel; ++n) {
    for (int j = 0; j < kGroup; ++j) {
      out[j][n] = static_cast<int16_t>(static_cast<int8_t>(bytes[n * kGroup + j] << up) >> down);
    }
  }
}

// acc[row][channel] += Σ a · w over the lines [begin, end) of one panel, for the `rows` rows of one row block.
void accumulate(const GemmCall& call, const uint8_t* const* blocks, int64_t rows, int64_t panel, int64_t begin,
                int64_t end, int32_t (&acc)[kRowBlock][kPanel]) {
  const PackedMatrix& w = *call.weights;
  for (int64_t line = begin; line < end; ++line) {
    const int64_t block = line / kLinesPerBlock;
    const int64_t inBlock = line % kLinesPerBlock;
    Line weights;
    unpackLine(w, w.panel(panel) + block * w.blockBytes(), inBlock, weights);
    for (int64_t r = 0; r < rows; ++r) {
      const uint8_t* a = blocks[block] + r * call.aRowStride + inBlock * kGroup;
      for (int j = 0; j < kGroup; ++j) {
        // Fits: |u8 · s8| ≤ 255 · 128 = 32640.
        const int16_t code = a[j];
        for (int64_t n = 0; n < kPanel; ++n) acc[r][n] += static_cast<int16_t>(code * weights[j][n]);
      }
    }
  }
}

float finish(const Epilogue& e, float y, int64_t index) {
  if (e.residual) y += e.residual[index];
  y = y < e.clipMin ? e.clipMin : y;
  return y > e.clipMax ? e.clipMax : y;
}

// Rows [row, row + rows) of one row block with one panel.
void multiply(const GemmCall& call, int64_t row, int64_t rows, int64_t panel) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
  const int64_t channels = w.n - panel * kPanel < kPanel ? w.n - panel * kPanel : kPanel;
  int32_t acc[kRowBlock][kPanel];
  float total[kRowBlock][kPanel] = {};  // grouped scales only

  const int64_t groupLines = w.blockSize / kGroup;
  const int32_t* sums = w.blockSize > 0 ? w.sums.data() : call.sums;
  for (int64_t g = 0; g < w.scaleGroups; ++g) {
    __builtin_memset(acc, 0, sizeof acc);
    if (w.blockSize > 0) {
      const int64_t end = (g + 1) * groupLines < w.kGroups ? (g + 1) * groupLines : w.kGroups;
      accumulate(call, blocks, rows, panel, g * groupLines, end, acc);
    } else {
      for (int64_t run = call.runs.begin; run < call.runs.end; run += call.runs.step) {
        const int64_t line = run * kLinesPerBlock;
        accumulate(call, blocks, rows, panel, line, line + call.runs.groups, acc);
      }
    }
    const int64_t at = g * w.paddedN() + panel * kPanel;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t n = 0; n < channels; ++n) {
        acc[r][n] -= call.zeroPoint[row + r] * sums[at + n];
        if (w.blockSize > 0) {
          total[r][n] = std::fmaf(static_cast<float>(acc[r][n]), w.scales[static_cast<size_t>(at + n)], total[r][n]);
        }
      }
    }
  }

  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < channels; ++n) {
      const int64_t channel = panel * kPanel + n;
      const int64_t index = (row + r) * call.ld + channel;
      if (call.acc) {
        call.acc[index] = acc[r][n];
        continue;
      }
      const float bias = call.epilogue.bias ? call.epilogue.bias[channel] : 0.0f;
      const float rowScale = call.rowScale[row + r];
      const float y = w.blockSize > 0 ? std::fmaf(total[r][n], rowScale, bias)
                                      : std::fmaf(static_cast<float>(acc[r][n]),
                                                  rowScale * w.scales[static_cast<size_t>(channel)], bias);
      call.out[index] = finish(call.epilogue, y, index);
    }
  }
}

void gemm_u8s8_s32_scalar(const GemmCall& call) {
  for (int64_t row = 0; row < call.rows; row += kRowBlock) {
    const int64_t rows = call.rows - row < kRowBlock ? call.rows - row : kRowBlock;
    for (int64_t panel = call.panelBegin; panel < call.panelEnd; ++panel) multiply(call, row, rows, panel);
  }
}

constexpr KernelTable kTable = {Isa::scalar,          kGroup,          scanRange_f32_scalar, quantizeRow_f32_u8_scalar,
                                gemm_u8s8_s32_scalar, &scalarDepthwise};

}  // namespace

const KernelTable* scalarKernels() { return &kTable; }

}  // namespace faultline
