// Quantizes chunks of fp32 rows in small pieces, so that a product can do the pieces of the next chunk on the side
// (SideWork): on AMX the dynamic part of a dynamic product is then nearly free.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"
#include "ops/first_bad.h"
#include "ops/schedule.h"

namespace faultline {

// Where the rows are and how they are quantized.
struct QuantizedRows {
  const float* x = nullptr;  // [rows, k]
  int64_t ldx = 0;           // elements between rows
  int64_t k = 0;
  int bits = 8;                          // of every row …
  const uint8_t* rowBits = nullptr;      // … or one a row
  const AffineParams* shared = nullptr;  // one set of parameters for all rows; null: one set a row
};

class RowQuantizer {
 public:
  // Rows with NaN or infinity are reported to `bad` by their index in x.
  RowQuantizer(const QuantizedRows& rows, FirstBad* bad);

  // Sets out to quantize rows [begin, begin + count) of x into `chunk`, in about `steps` calls of step().
  void start(int64_t begin, int64_t count, RowChunk* chunk, int64_t steps);
  void step() {
    if (++step_ >= dueStep_) catchUp();
  }
  void finish();
  SideWork sideWork() {
    return {[](void* self) { static_cast<RowQuantizer*>(self)->step(); }, this};
  }

 private:
  // The next `most` elements, or what is left of their row.
  void piece(int64_t most);
  void catchUp();
  void nextGroup();

  QuantizedRows rows_;
  FirstBad* bad_;
  int64_t piecesPerRow_;
  int64_t groupRows_;        // rows scanned before the first of them is quantized …
  int64_t groupRowsBeside_;  // … and in step()
  bool beside_ = false;

  RowChunk* chunk_ = nullptr;
  int64_t begin_ = 0;
  int64_t count_ = 0;
  int64_t pieces_ = 0;  // of the chunk, in pieces of step()
  int64_t done_ = 0;
  int64_t steps_ = 1;
  int64_t step_ = 0;
  int64_t dueStep_ = 0;  // when the next piece is due

  // The next piece: of a row in [groupBegin_, groupEnd_), first to be scanned, then to be quantized.
  bool scanning_ = false;
  int64_t groupBegin_ = 0;
  int64_t groupEnd_ = 0;
  int64_t row_ = 0;
  int64_t at_ = 0;  // element in the row
  float min_ = 0.0f;
  float max_ = 0.0f;
  static constexpr int64_t kMaxGroupRows = 16;
  AffineParams params_[kMaxGroupRows];
};

}  // namespace faultline
