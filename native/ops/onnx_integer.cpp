#include "ops/onnx_integer.h"

#include <algorithm>

#include "core/parallel.h"
#include "dispatch/dispatch.h"

namespace faultline {
namespace {

struct RowCopy;
struct Excess;

}  // namespace

void packMatmulB(const uint8_t* b, bool isSigned, int64_t k, int64_t n, const int32_t* zeroPoint, int64_t step,
                 IntegerWeights* out) {
  constexpr int64_t kBlock = 64;  // of the transpose
  const uint8_t flip = isSigned ? 0 : kSignBit;
  AlignedBuffer<int8_t> codes(static_cast<size_t>(n * k));  // [n, k]
  parallel(threadsFor(n * k), [&](int t, int total) {
    const int64_t blocks = ceilDiv(n, kBlock);
    for (int64_t n0 = blocks * t / total * kBlock; n0 < std::min(blocks * (t + 1) / total * kBlock, n); n0 += kBlock) {
      for (int64_t k0 = 0; k0 < k; k0 += kBlock) {
        for (int64_t i = n0; i < std::min(n0 + kBlock, n); ++i) {
          int8_t* to = codes.data() + i * k;
          for (int64_t j = k0; j < std::min(k0 + kBlock, k); ++j) to[j] = static_cast<int8_t>(b[j * n + i] ^ flip);
        }
      }
    }
  });
  packIntegerWeights(codes.data(), !isSigned, n, k, zeroPoint, step, out);
}

Status integerMatmul(const IntegerMatmulArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  const IntegerWeights& b = *args.b;
  const int64_t k = b.matrix.k;
  const int64_t n = b.matrix.n;
  const int32_t shift = args.aSigned ? kSignShift : 0;
  const uint8_t flip = args.aSigned ? kSignBit : 0;
  const auto zeroPoint = [&](int64_t row) {
    return (args.aZeroPoint ? args.aZeroPoint[row * args.aZeroPointStep] : 0) + shift;
  };
  int32_t lowest = UINT8_MAX, highest = 0;
  for (int64_t row = 0; row < args.m; ++row) {
    lowest = std::min(lowest, zeroPoint(row));
    highest = std::max(highest, zeroPoint(row));
  }
  if (Status s = checkReduction(args.operation, b, lowest, highest); !s) return s;

  const bool sameZeroPoint = !args.aZeroPoint || args.aZeroPointStep == 0;
  const Grid grid = chooseGrid(args.m, b.matrix);
  parallel(grid.threads(), [&](int t, int total) {
    for (int part = t; part < grid.threads(); part += total) {
      const Slice rows = grid.rows(part);
      const Slice panels = grid.panels(part);
      const int64_t capacity = std::min(rowsPerChunk(b.matrix), roundUp(rows.size(), kRowBlock));
      RowChunk chunk(capacity, b.matrix.kBlocks);
      uint8_t* copy = scratch<RowCopy, uint8_t>(static_cast<size_t>(k));
      int32_t* excess = scratch<Excess, int32_t>(static_cast<size_t>(capacity));
      int32_t* accumulators = args.acc ? nullptr : tileScratch(capacity);
      for (int64_t begin = rows.begin; begin < rows.end; begin += capacity) {
        const int64_t count = std::min(capacity, rows.end - begin);
        chunk.layOut(count);
        for (int64_t i = 0; i < count; ++i) {
          const uint8_t* row = args.a + (begin + i) * k;
          if (args.aSigned) {
            for (int64_t j = 0; j < k; ++j) copy[j] = static_cast<uint8_t>(row[j] ^ flip);
            row = copy;
          }
          const int32_t z = zeroPoint(begin + i);
          chunk.copyRow(i, row, k);
          chunk.setRow(i, {.zeroPoint = z});
          if (!b.zeroPoint.empty()) excess[i] = rowExcess(row, k, z);
        }
        forTiles(b.matrix, panels, [&](const Slice& slice, int64_t first, int64_t channels) {
          if (args.acc) {
            multiplyTile(chunk, b, slice, sameZeroPoint, excess,
                         {args.acc + begin * n + first, n, count, first, channels});
            return;
          }
          const Tile tile{accumulators, channels, count, first, channels};
          multiplyTile(chunk, b, slice, sameZeroPoint, excess, tile);
          requantizeTile(tile, args.requantize, begin);
          storeRows(tile, args.codes + begin * n, n);
        });
      }
    }
  });
  return Status::ok();
}

}  // namespace faultline
