#include "ops/schedule.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"

namespace faultline {
namespace {

// Below this many multiply-adds a second thread costs more (1–2 µs to wake) than it saves.
constexpr int64_t kWorkPerThread = 1 << 18;
// Half of the smallest second-level cache we meet (512 KB): the panels stream through the other half.
constexpr int64_t kChunkBytes = 256 * 1024;
constexpr int64_t kMaxChunkRows = 512;

struct Codes;
struct Table;
struct ZeroPoints;
struct Scales;
struct Expanded;

Slice share(int64_t total, int64_t unit, int part, int parts) {
  const int64_t units = ceilDiv(total, unit);
  return {std::min(units * part / parts * unit, total), std::min(units * (part + 1) / parts * unit, total)};
}

}  // namespace

int threadsFor(int64_t work) { return static_cast<int>(std::clamp<int64_t>(work / kWorkPerThread, 1, threads())); }

Slice Grid::rows(int part) const { return share(m_, kRowBlock, part / panelParts_, rowParts_); }
Slice Grid::panels(int part) const { return share(panels_, 1, part % panelParts_, panelParts_); }

Grid chooseGrid(int64_t m, const PackedMatrix& w) {
  const int count = threadsFor(m * w.n * w.k);
  int bestRows = 1;
  int64_t bestCost = -1;
  for (int rowParts = 1; rowParts <= count; ++rowParts) {
    if (count % rowParts != 0) continue;
    const int panelParts = count / rowParts;
    // Largest share of the product, and the rows that share quantizes (one row ~ one panel of work).
    const int64_t rows = std::min(m, ceilDiv(ceilDiv(m, kRowBlock), int64_t{rowParts}) * kRowBlock);
    const int64_t cost = rows * (ceilDiv(w.panels, int64_t{panelParts}) + 1);
    if (bestCost < 0 || cost <= bestCost) {
      bestCost = cost;
      bestRows = rowParts;
    }
  }
  return {m, w.panels, bestRows, count / bestRows};
}

int64_t rowsPerChunk(const PackedMatrix& w) {
  const int64_t rows = kChunkBytes / (w.kBlocks * kBlockK) / (2 * kRowBlock) * (2 * kRowBlock);
  return std::clamp<int64_t>(rows, 2 * kRowBlock, kMaxChunkRows);
}

RowChunk::RowChunk(int64_t capacity, int64_t kBlocks) : kBlocks_(kBlocks) {
  const int64_t rows = roundUp(capacity, kRowBlock);
  codes_ = scratch<Codes, uint8_t>(static_cast<size_t>(rows * kBlocks * kBlockK));
  table_ = scratch<Table, const uint8_t*>(static_cast<size_t>(rows / kRowBlock * kBlocks));
  zeroPoint_ = scratch<ZeroPoints, int32_t>(static_cast<size_t>(rows));
  scale_ = scratch<Scales, float>(static_cast<size_t>(rows));
}

void RowChunk::layOut(int64_t rows) {
  rows_ = rows;
  const int64_t entries = ceilDiv(rows, kRowBlock) * kBlocks_;
  for (int64_t i = 0; i < entries; ++i) table_[i] = codes_ + i * kRowBlock * kBlockK;
}

void RowChunk::copyRow(int64_t i, const uint8_t* a, int64_t k) {
  uint8_t* to = row(i);
  for (int64_t at = 0; at < k; at += kBlockK, to += blockStride(i)) {
    std::memcpy(to, a + at, static_cast<size_t>(std::min(kBlockK, k - at)));
  }
}

GemmCall RowChunk::call(const PackedMatrix& w, const Slice& panels) const {
  GemmCall call;
  call.a = table_;
  call.rows = rows_;
  call.weights = &w;
  call.panelBegin = panels.begin;
  call.panelEnd = panels.end;
  if (w.storage == WeightStorage::int4) {
    call.expanded = scratch<Expanded, uint8_t>(static_cast<size_t>(2 * w.kBlocks * kInt8BlockBytes));
  }
  call.zeroPoint = zeroPoint_;
  call.rowScale = scale_;
  return call;
}

}  // namespace faultline
