#include "ops/matmul.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/first_bad.h"
#include "ops/row_quantizer.h"
#include "ops/saturating16.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

// Addresses this far apart share a set of an eight-way first-level cache of 32 KB.
constexpr int64_t kCacheAlias = 4096;

Status nonFinite(int64_t row) {
  return Status::invalid("matmulDynamic", "x", "finite values", "NaN or infinity in row " + std::to_string(row));
}

void reportParams(const MatmulDynamicArgs& args, const RowChunk& chunk, int64_t begin, int64_t count) {
  if (args.rowScale) std::copy_n(chunk.scales(), count, args.rowScale + begin);
  if (args.rowZeroPoint) std::copy_n(chunk.zeroPoints(), count, args.rowZeroPoint + begin);
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

// One thread's share: chunk after chunk, the next one quantized beside the product of the present one.
void multiplyPart(const MatmulDynamicArgs& args, const QuantizedRows& source, const Slice& rows, const Slice& panels,
                  FirstBad* bad) {
  const PackedMatrix& w = *args.weights;
  const int64_t capacity = std::min(rowsPerChunk(w), roundUp(rows.size(), kRowBlock));
  RowChunk chunks[] = {{capacity, w.kBlocks, RowChunk::Slot::first}, {capacity, w.kBlocks, RowChunk::Slot::second}};
  RowChunk* present = &chunks[0];
  RowChunk* next = &chunks[1];
  RowQuantizer quantizer(source, bad);
  // SideWork's steps of a full chunk: its 32 × 32 blocks times k-blocks.
  const int64_t steps = ceilDiv(capacity, 2 * kRowBlock) * ceilDiv(panels.size(), int64_t{2}) * w.kBlocks;
  const auto startAt = [&](int64_t begin, RowChunk* into) {
    quantizer.start(begin, std::min(capacity, rows.end - begin), into, steps);
  };
  startAt(rows.begin, present);
  for (int64_t begin = rows.begin; begin < rows.end; begin += capacity) {
    quantizer.finish();
    if (panels.begin == 0) reportParams(args, *present, begin, std::min(capacity, rows.end - begin));
    GemmCall call = present->call(w, panels);
    if (begin + capacity < rows.end) {
      startAt(begin + capacity, next);
      call.sideWork = quantizer.sideWork();
    }
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
      kernels().gemm(call);
    }
    std::swap(present, next);
  }
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
  FirstBad bad;

  AffineParams tensorParams;
  if (args.perTensor) {
    float min = 0.0f, max = 0.0f;
    if (!scanTensor(args, &min, &max, &bad)) return nonFinite(bad.index());
    tensorParams = chooseAsymmetric(min, max, args.bits);
  }

  const QuantizedRows source = {args.x,    args.ldx,     w.k,
                                args.bits, args.rowBits, args.perTensor ? &tensorParams : nullptr};
  const Grid grid = chooseGrid(args.m, w);
  parallel(grid.threads(), [&](int t, int total) {
    for (int part = t; part < grid.threads(); part += total) {
      multiplyPart(args, source, grid.rows(part), grid.panels(part), &bad);
    }
  });
  return !bad.any() ? Status::ok() : nonFinite(bad.index());
}

Status matmulU8(const uint8_t* a, int64_t m, int64_t lda, const PackedMatrix& w, const int32_t* zeroPoint,
                int32_t* acc) {
  if (!dispatchStatus()) return dispatchStatus();
  const KernelTable& table = kernels();
  // Rows are multiplied where they lie unless a kernel, which reads whole k-blocks, would read past the last of them,
  // or unless the rows of a block all fall into the same sets of the first-level cache.
  const auto inPlace = [&](int64_t begin, int64_t count) {
    return (begin + count - 1) * lda + w.kBlocks * kBlockK <= (m - 1) * lda + w.k && lda % kCacheAlias != 0;
  };
  const Grid grid = chooseGrid(m, w);
  parallel(grid.threads(), [&](int t, int total) {
    for (int part = t; part < grid.threads(); part += total) {
      const Slice rows = grid.rows(part);
      const Slice panels = grid.panels(part);
      const int64_t chunk = std::min(rowsPerChunk(w), roundUp(rows.size(), kRowBlock));
      RowChunk packed(chunk, w.kBlocks);
      for (int64_t begin = rows.begin; begin < rows.end; begin += chunk) {
        const int64_t count = std::min(chunk, rows.end - begin);
        if (inPlace(begin, count)) {
          packed.pointAt(a + begin * lda, lda, count);
        } else {
          packed.layOut(count);
          for (int64_t i = 0; i < count; ++i) packed.copyRow(i, a + (begin + i) * lda, w.k);
        }
        for (int64_t i = 0; i < count; ++i) packed.setRow(i, {.zeroPoint = zeroPoint ? zeroPoint[begin + i] : 0});
        GemmCall call = packed.call(w, panels);
        call.sameParams = zeroPoint == nullptr;
        call.ld = w.n;
        call.acc = acc + begin * w.n;
        table.gemm(call);
      }
    }
  });
  return Status::ok();
}

}  // namespace faultline
