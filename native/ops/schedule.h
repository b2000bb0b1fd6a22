// How a product of M rows and a packed matrix is cut into threads and cache-sized chunks, and the chunk of quantized
// rows a thread works on. Shared by matmul and convolution.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace faultline {

struct Slice {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};

// Threads to start for `work` multiply-adds (or elements, for passes over memory).
int threadsFor(int64_t work);

// Rows × panels shared out over a grid of threads. Each part quantizes the rows it needs itself: parts that share rows
// repeat that work, which is cheaper than a barrier, and no result depends on the grid.
class Grid {
 public:
  Grid(int64_t m, int64_t panels, int rowParts, int panelParts)
      : m_(m), panels_(panels), rowParts_(rowParts), panelParts_(panelParts) {}
  int threads() const { return rowParts_ * panelParts_; }
  Slice rows(int part) const;
  Slice panels(int part) const;

 private:
  int64_t m_;
  int64_t panels_;
  int rowParts_;
  int panelParts_;
};
Grid chooseGrid(int64_t m, const PackedMatrix& w);

// Rows to quantize at a time: the chunk stays in the second-level cache while all panels pass over it.
int64_t rowsPerChunk(const PackedMatrix& w);

// A chunk of quantized rows in the kernels' layout: row blocks of 16, each [kBlock][row in block][64], with the address
// table GemmCall needs. Memory is per-thread scratch: one live RowChunk a thread and slot.
class RowChunk {
 public:
  // Bytes from one 64-wide block of a row to the next.
  static constexpr int64_t kBlockStride = kRowBlock * kBlockK;

  enum class Slot { first, second };
  RowChunk(int64_t capacity, int64_t kBlocks, Slot slot = Slot::first);
  void layOut(int64_t rows);
  uint8_t* row(int64_t i) { return codes_ + (i / kRowBlock * kBlocks_ * kRowBlock + i % kRowBlock) * kBlockK; }
  void copyRow(int64_t i, const uint8_t* a, int64_t k);
  // Instead of laying out: uses rows of a[rows, K] where they lie; whole k-blocks of them must be readable.
  void pointAt(const uint8_t* a, int64_t lda, int64_t rows);
  void setRow(int64_t i, const AffineParams& params) {
    zeroPoint_[i] = params.zeroPoint;
    scale_[i] = params.scale;
  }
  const float* scales() const { return scale_; }
  const int32_t* zeroPoints() const { return zeroPoint_; }
  // The product of the laid-out rows with these panels; the caller sets the output and epilogue.
  GemmCall call(const PackedMatrix& w, const Slice& panels) const;

 private:
  int64_t kBlocks_;
  int64_t rows_ = 0;
  int64_t rowStride_ = kBlockK;
  uint8_t* codes_;
  const uint8_t** table_;
  int32_t* zeroPoint_;
  float* scale_;
};

}  // namespace faultline
