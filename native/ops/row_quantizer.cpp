#include "ops/row_quantizer.h"

#include <algorithm>
#include <limits>

#include "dispatch/dispatch.h"

namespace faultline {
namespace {

// A piece is 512 elements: some 60–140 instructions, which fit beside the products of one k-block. Whole 64-wide
// blocks.
constexpr int64_t kPiece = 8 * kBlockK;

// A few rows are scanned before the first of them is quantized, so that the latency of a row's parameters (a reduction
// and three divisions, about 100 cycles) hides behind the others; they should then still be in the first-level cache.
constexpr int64_t kGroupBytes = 16 * 1024;
// Beside a product that latency is nothing, but the product streams through the cache.
constexpr int64_t kGroupBytesBeside = 4 * 1024;

int64_t groupRows(int64_t bytes, int64_t k, int64_t most) {
  return std::clamp<int64_t>(bytes / (k * int64_t{sizeof(float)}), 1, most);
}

}  // namespace

RowQuantizer::RowQuantizer(const QuantizedRows& rows, FirstBad* bad)
    : rows_(rows),
      bad_(bad),
      piecesPerRow_(std::max<int64_t>(ceilDiv(rows.k, kPiece), 1)),
      groupRows_(groupRows(kGroupBytes, rows.k, kMaxGroupRows)),
      groupRowsBeside_(groupRows(kGroupBytesBeside, rows.k, kMaxGroupRows)) {}

void RowQuantizer::start(int64_t begin, int64_t count, RowChunk* chunk, int64_t steps) {
  chunk_ = chunk;
  begin_ = begin;
  count_ = count;
  pieces_ = count * piecesPerRow_ * (rows_.shared ? 1 : 2);
  done_ = 0;
  steps_ = std::max<int64_t>(steps, 1);
  step_ = 0;
  dueStep_ = pieces_ > 0 ? ceilDiv(steps_, pieces_) : std::numeric_limits<int64_t>::max();
  groupEnd_ = 0;
  chunk->layOut(count);
  beside_ = false;
  nextGroup();
}

void RowQuantizer::catchUp() {
  beside_ = true;
  // Pieces are due at equal distances; a row's last piece may count for several.
  const int64_t owed = std::min(pieces_ * step_ / steps_, pieces_);
  while (done_ < owed) piece(kPiece);
  dueStep_ = done_ < pieces_ ? ceilDiv((done_ + 1) * steps_, pieces_) : std::numeric_limits<int64_t>::max();
}

void RowQuantizer::finish() {
  beside_ = false;
  while (done_ < pieces_) piece(rows_.k);
}

void RowQuantizer::nextGroup() {
  groupBegin_ = groupEnd_;
  groupEnd_ = std::min(groupBegin_ + (beside_ ? groupRowsBeside_ : groupRows_), count_);
  scanning_ = rows_.shared == nullptr;
  if (rows_.shared) std::fill_n(params_, groupEnd_ - groupBegin_, *rows_.shared);
  row_ = groupBegin_;
  at_ = 0;
  min_ = max_ = 0.0f;
}

void RowQuantizer::piece(int64_t most) {
  const KernelTable& table = kernels();
  const int64_t source = begin_ + row_;
  const float* x = rows_.x + source * rows_.ldx + at_;
  // A short rest goes with the piece before it.
  const int64_t left = rows_.k - at_;
  const int64_t length = left <= most + most / 2 ? left : most;
  AffineParams& params = params_[row_ - groupBegin_];
  if (scanning_) {
    if (!table.scanRange(x, length, &min_, &max_)) bad_->report(source);
  } else {
    table.quantizeRow(x, length, params, chunk_->row(row_) + at_ / kBlockK * RowChunk::kBlockStride,
                      RowChunk::kBlockStride);
  }
  done_ += ceilDiv(length, kPiece);
  at_ += length;
  if (at_ < rows_.k) return;
  if (scanning_) {
    params = chooseAsymmetric(min_, max_, rows_.rowBits ? rows_.rowBits[source] : rows_.bits);
    min_ = max_ = 0.0f;
  } else {
    chunk_->setRow(row_, params);
  }
  at_ = 0;
  if (++row_ < groupEnd_) return;
  if (scanning_) {
    scanning_ = false;
    row_ = groupBegin_;
  } else {
    nextGroup();
  }
}

}  // namespace faultline
