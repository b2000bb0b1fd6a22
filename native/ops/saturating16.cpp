#include "ops/saturating16.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "dispatch/dispatch.h"
#include "kernels/saturating16.h"

namespace faultline {
namespace {

struct Accumulators;
struct Totals;

float finish(const Epilogue& e, float y, int64_t index) {
  if (e.residual) y += e.residual[index];
  y = y < e.clipMin ? e.clipMin : y;
  return y > e.clipMax ? e.clipMax : y;
}

// The sequence of kernels/kernel.h for one panel of one scale group; total is null without scales by group.
void dequantize(const GemmCall& call, int64_t panel, int64_t group, const int32_t* acc, float* total) {
  const PackedMatrix& w = *call.weights;
  const int64_t channels = std::min(kPanel, w.n - panel * kPanel);
  const int64_t at = group * w.paddedN() + panel * kPanel;
  const int32_t* sums = w.sums.data() + at;
  const float* scales = w.scales.data() + at;
  for (int64_t row = 0; row < call.rows; ++row) {
    for (int64_t n = 0; n < channels; ++n) {
      const int64_t channel = panel * kPanel + n;
      const int64_t index = row * call.ld + channel;
      const int32_t c = acc[row * kPanel + n] - call.zeroPoint[row] * sums[n];
      if (call.acc) {
        call.acc[index] = c;
        continue;
      }
      const float bias = call.epilogue.bias ? call.epilogue.bias[channel] : 0.0f;
      float y;
      if (total == nullptr) {
        y = std::fmaf(static_cast<float>(c), call.rowScale[row] * scales[n], bias);
      } else {
        float& t = total[row * kPanel + n];
        t = std::fmaf(static_cast<float>(c), scales[n], group == 0 ? 0.0f : t);
        if (group + 1 < w.scaleGroups) continue;
        y = std::fmaf(t, call.rowScale[row], bias);
      }
      call.out[index] = finish(call.epilogue, y, index);
    }
  }
}

}  // namespace

void gemmSaturating16(const GemmCall& call, int64_t* saturations) {
  const PackedMatrix& w = *call.weights;
  if (w.storage == WeightStorage::int4) {  // cannot saturate: 255 · (8 + 8) = 4080
    kernels().gemm(call);
    return;
  }
  const Saturating16Kernel kernel = saturating16For(kernels().isa);
  const size_t tile = static_cast<size_t>(call.rows * kPanel);
  Saturating16Call part;
  part.a = call.a;
  part.aRowStride = call.aRowStride;
  part.rows = call.rows;
  part.weights = &w;
  part.acc = scratch<Accumulators, int32_t>(tile);
  float* total = w.blockSize > 0 ? scratch<Totals, float>(tile) : nullptr;
  const int64_t span = w.blockSize > 0 ? w.blockSize : w.k;
  for (part.panel = call.panelBegin; part.panel < call.panelEnd; ++part.panel) {
    int64_t events[kPanel] = {};
    part.saturations = events;
    for (int64_t group = 0; group < w.scaleGroups; ++group) {
      part.kBegin = group * span;
      part.kEnd = std::min(w.k, part.kBegin + span);
      kernel(part);
      dequantize(call, part.panel, group, part.acc, total);
    }
    const int64_t first = part.panel * kPanel;
    for (int64_t i = 0; saturations && i < std::min(kPanel, w.n - first); ++i) {
      std::atomic_ref(saturations[first + i]).fetch_add(events[i], std::memory_order_relaxed);
    }
  }
}

}  // namespace faultline
