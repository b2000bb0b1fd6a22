#include "ops/schedule.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "dispatch/dispatch.h"

namespace faultline {
namespace {

// Below this many multiply-adds a second thread costs more (1–2 µs to wake) than it saves.
constexpr int64_t kWorkPerThread = 1 << 18;
// A chunk of quantized rows, the next one and the panels passing over them share the second-level cache.
constexpr int64_t kSmallestCache = 512 * 1024;
int64_t secondLevelCache() {
  static const int64_t bytes = std::max<int64_t>(sysconf(_SC_LEVEL2_CACHE_SIZE), kSmallestCache);
  return bytes;
}
// Where the panels stay in that cache themselves, chunks are short: more of the work is beside a product.
constexpr int64_t kShortChunkBytes = 32 * 1024;
constexpr int64_t kShortChunkRows = 4 * kRowBlock;
// With tiles a chunk takes this many products of 32 rows × 32 channels × 64 at least, to make up for their
// configuration. int4 panels are expanded once a chunk.
constexpr int64_t kTileChunkProducts = 256;
constexpr int64_t kTileChunkRowsInt4 = 8 * kRowBlock;
constexpr int64_t kMaxChunkRows = 512;

template <RowChunk::Slot slot>
struct Codes;
template <RowChunk::Slot slot>
struct Table;
template <RowChunk::Slot slot>
struct ZeroPoints;
template <RowChunk::Slot slot>
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
  const int64_t rowBytes = w.kBlocks * kBlockK;
  const bool resident = w.panels * w.kBlocks * w.blockBytes() <= secondLevelCache() / 2;
  int64_t rows = secondLevelCache() / 4 / rowBytes;
  if (resident && kernels().isa == Isa::amxInt8) {
    const int64_t products = ceilDiv(w.panels, int64_t{2}) * w.kBlocks;
    rows = ceilDiv(kTileChunkProducts, products) * 2 * kRowBlock;
    if (w.storage == WeightStorage::int4) rows = std::max(rows, kTileChunkRowsInt4);
  } else if (resident) {
    rows = std::max(kShortChunkBytes / rowBytes, kShortChunkRows);
  }
  // Kernels take up to two row blocks at a time.
  return std::clamp<int64_t>(rows / (2 * kRowBlock) * (2 * kRowBlock), 2 * kRowBlock, kMaxChunkRows);
}

RowChunk::RowChunk(int64_t capacity, int64_t kBlocks, Slot slot) : kBlocks_(kBlocks) {
  const size_t rows = static_cast<size_t>(roundUp(capacity, kRowBlock));
  const size_t blocks = rows * static_cast<size_t>(kBlocks);
  const auto take = [&]<Slot s>() {
    codes_ = scratch<Codes<s>, uint8_t>(blocks * kBlockK);
    table_ = scratch<Table<s>, const uint8_t*>(blocks / kRowBlock);
    zeroPoint_ = scratch<ZeroPoints<s>, int32_t>(rows);
    scale_ = scratch<Scales<s>, float>(rows);
  };
  slot == Slot::first ? take.template operator()<Slot::first>() : take.template operator()<Slot::second>();
}

void RowChunk::layOut(int64_t rows) {
  rows_ = rows;
  rowStride_ = kBlockK;
  const int64_t entries = ceilDiv(rows, kRowBlock) * kBlocks_;
  for (int64_t i = 0; i < entries; ++i) table_[i] = codes_ + i * kRowBlock * kBlockK;
}

void RowChunk::copyRow(int64_t i, const uint8_t* a, int64_t k) {
  uint8_t* to = row(i);
  for (; k >= kBlockK; k -= kBlockK, a += kBlockK, to += kBlockStride) std::memcpy(to, a, kBlockK);
  if (k > 0) std::memcpy(to, a, static_cast<size_t>(k));
}

void RowChunk::pointAt(const uint8_t* a, int64_t lda, int64_t rows) {
  rows_ = rows;
  rowStride_ = lda;
  for (int64_t block = 0; block < ceilDiv(rows, kRowBlock); ++block) {
    for (int64_t b = 0; b < kBlocks_; ++b) table_[block * kBlocks_ + b] = a + block * kRowBlock * lda + b * kBlockK;
  }
}

GemmCall RowChunk::call(const PackedMatrix& w, const Slice& panels) const {
  GemmCall call;
  call.a = table_;
  call.aRowStride = rowStride_;
  call.rows = rows_;
  call.setWeights(w);
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
