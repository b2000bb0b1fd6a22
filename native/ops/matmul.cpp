#include "ops/matmul.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/first_bad.h"
#include "ops/saturating16.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

Status nonFinite(int64_t row) {
  return Status::invalid("matmulDynamic", "x", "finite values", "NaN or infinity in row " + std::to_string(row));
}

// One range over all rows.
bool scanTensor(const MatmulDynamicArgs& args, float* min, float* max, FirstBad* bad) {
  const KernelTable& table = kernels();
  const int count = threadsFor(args.m * args.weights->k);
  std::vector<std::pair<float, float>> ranges(static_cast<size_t>(count), {0.0f, 0.0f});
  parallel(count, [&](int t, int total) {
    auto& [lo, hi] = ranges[static_cast<size_t>(t)];
    for (int64_t r = args.m * t / total; r < args.m * (t + 1) / total; ++r) {
      if (!table.scanRange(args.x + r * args.ldx, args.weights->k, &lo, &hi)) bad->report(r);
    }
  });
  for (const auto& [lo, hi] : ranges) {
    *min = std::min(*min, lo);
    *max = std::max(*max, hi);
  }
  return !bad->any();
}

}  // namespace

int64_t largestSafeK(int activationBits, int weightMagnitude, WeightStorage storage) {
  const int64_t product = int64_t{(1 << activationBits) - 1} * std::max(weightMagnitude, 1);
  const int64_t limit = std::numeric_limits<int32_t>::max() / (storage == WeightStorage::int4 ? 16 : 1);
  return limit / product;
}

Status matmulDynamic(const MatmulDynamicArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  const PackedMatrix& w = *args.weights;
  const KernelTable& table = kernels();
  FirstBad bad;

  AffineParams tensorParams;
  if (args.perTensor) {
    float min = 0.0f, max = 0.0f;
    if (!scanTensor(args, &min, &max, &bad)) return nonFinite(bad.index());
    tensorParams = chooseAsymmetric(min, max, args.bits);
  }

  const Grid grid = chooseGrid(args.m, w);
  parallel(grid.threads(), [&](int t, int total) {
    for (int part = t; part < grid.threads(); part += total) {
      const Slice rows = grid.rows(part);
      const Slice panels = grid.panels(part);
      const int64_t chunk = std::min(rowsPerChunk(w), roundUp(rows.size(), kRowBlock));
      RowChunk a(chunk, w.kBlocks);
      for (int64_t begin = rows.begin; begin < rows.end; begin += chunk) {
        const int64_t count = std::min(chunk, rows.end - begin);
        a.layOut(count);
        for (int64_t i = 0; i < count; ++i) {
          const int64_t row = begin + i;
          const float* x = args.x + row * args.ldx;
          AffineParams params = tensorParams;
          if (!args.perTensor) {
            float min = 0.0f, max = 0.0f;
            if (!table.scanRange(x, w.k, &min, &max)) bad.report(row);
            params = chooseAsymmetric(min, max, args.rowBits ? args.rowBits[row] : args.bits);
          }
          table.quantizeRow(x, w.k, params, a.row(i), a.blockStride(i));
          a.setRow(i, params);
          if (panels.begin == 0) {
            if (args.rowScale) args.rowScale[row] = params.scale;
            if (args.rowZeroPoint) args.rowZeroPoint[row] = params.zeroPoint;
          }
        }
        GemmCall call = a.call(w, panels);
        call.ld = w.n;
        call.epilogue = args.epilogue;
        if (call.epilogue.residual) call.epilogue.residual += begin * w.n;
        if (args.acc) {
          call.acc = args.acc + begin * w.n;
        } else {
          call.out = args.out + begin * w.n;
        }
        if (args.saturating16) {
          gemmSaturating16(call, args.saturations);
        } else {
          table.gemm(call);
        }
      }
    }
  });
  return !bad.any() ? Status::ok() : nonFinite(bad.index());
}

Status matmulU8(const uint8_t* a, int64_t m, int64_t lda, const PackedMatrix& w, const int32_t* zeroPoint,
                int32_t* acc) {
  if (!dispatchStatus()) return dispatchStatus();
  const KernelTable& table = kernels();
  const Grid grid = chooseGrid(m, w);
  parallel(grid.threads(), [&](int t, int total) {
    for (int part = t; part < grid.threads(); part += total) {
      const Slice rows = grid.rows(part);
      const Slice panels = grid.panels(part);
      const int64_t chunk = std::min(rowsPerChunk(w), roundUp(rows.size(), kRowBlock));
      RowChunk packed(chunk, w.kBlocks);
      for (int64_t begin = rows.begin; begin < rows.end; begin += chunk) {
        const int64_t count = std::min(chunk, rows.end - begin);
        packed.layOut(count);
        for (int64_t i = 0; i < count; ++i) {
          packed.copyRow(i, a + (begin + i) * lda, w.k);
          packed.setRow(i, {.zeroPoint = zeroPoint ? zeroPoint[begin + i] : 0});
        }
        GemmCall call = packed.call(w, panels);
        call.ld = w.n;
        call.acc = acc + begin * w.n;
        table.gemm(call);
      }
    }
  });
  return Status::ok();
}

}  // namespace faultline
