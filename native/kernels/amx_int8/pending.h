// What the vector unit does while the tile unit multiplies: class Pending. Part of kernels.cpp, internal linkage as
// there.
#pragma once

#include "kernels/avx512_epilogue.h"

namespace faultline {
namespace {

constexpr int64_t kScratchRow = 2 * kPanel;  // int32 elements: two panels side by side

// How the zero points of rows are taken into account.
enum class ZeroPoints {
  shared,    // all rows have the same
  pairs,     // one vpdpwssd with PackedMatrix::sumPairs
  products,  // what pairs do not hold: K beyond kMaxBlockSize or in part, zero points beyond a byte
};

// What the vector unit does between products: accumulators of a finished block on their way to the output, a few rows
// at a time, and the caller's side work. Both take as few instructions as can be: the window of out-of-order execution
// holds 512, and tile loads that do not fit into it come too late.
template <bool kInt4>
class Pending {
 public:
  // `steps`: calls of step() for a block.
  Pending(const GemmCall& call, int64_t steps)
      : call_(call),
        zeroPoints_(call.sameParams  ? ZeroPoints::shared
                    : hasPairs(call) ? ZeroPoints::pairs
                                     : ZeroPoints::products),
        stepsBetween_(steps > kTurns ? steps / kTurns : 1),
        rowsAtOnce_(steps > 0 ? ceilDiv(2 * kRowBlock, steps / stepsBetween_) : 2 * kRowBlock) {}
  int32_t* accumulators() { return accumulators_; }

  void start(int64_t row, int64_t rows, int64_t panel, int panels) {
    row_ = row;
    rows_ = rows;
    done_ = 0;
    wait_ = 1;
    if (zeroPoints_ == ZeroPoints::pairs) {
      for (int64_t r = 0; r < rows; r += kVector) {
        const __m512i zero = _mm512_maskz_loadu_epi32(headMask(rows - r), call_.zeroPoint + row + r);
        _mm512_store_si512(zeroPairs_ + r, _mm512_or_si512(zero, _mm512_slli_epi32(zero, 7 + 16)));
      }
    }
    if (panel_ == panel) return;
    panel_ = panel;
    panels_ = panels;
    for (int j = 0; j < panels; ++j) terms_[j] = PanelTerms(call_, panel + j);
    if (zeroPoints_ == ZeroPoints::pairs) {
      for (int j = 0; j < panels; ++j) {
        terms_[j].sums = _mm512_load_si512(call_.weights->sumPairs.data() + terms_[j].channel);
      }
    }
  }
  // Between two products.
  FAULTLINE_INLINE void step() {
    if (done_ < rows_ && --wait_ == 0) {
      convert(rowsAtOnce_);
      wait_ = stepsBetween_;
    }
    if (call_.sideWork.step) call_.sideWork.step(call_.sideWork.context);
  }
  void finishAll() {
    if (done_ < rows_) convert(rows_);
  }

 private:
  // Blocks are converted in about this many turns, spread over the steps of the next: more would cost more calls.
  static constexpr int64_t kTurns = 4;

  static bool hasPairs(const GemmCall& call) {
    return call.out && call.weights->k <= kMaxBlockSize && call.sums == call.weights->sums.data();
  }

  void convert(int64_t rows) {
    panels_ == 2 ? convertPanels<2>(rows) : convertPanels<1>(rows);
    done_ += rows;
  }
  template <int PB>
  FAULTLINE_INLINE void convertPanels(int64_t rows) {
    const int64_t end = done_ + rows < rows_ ? done_ + rows : rows_;
    if (call_.acc) {
      zeroPoints_ == ZeroPoints::shared ? convertTo<PB, false, ZeroPoints::shared>(end)
                                        : convertTo<PB, false, ZeroPoints::products>(end);
    } else if (zeroPoints_ == ZeroPoints::shared) {
      convertTo<PB, true, ZeroPoints::shared>(end);
    } else if (zeroPoints_ == ZeroPoints::pairs) {
      convertTo<PB, true, ZeroPoints::pairs>(end);
    } else {
      convertTo<PB, true, ZeroPoints::products>(end);
    }
  }

  template <int PB, bool kFloats, ZeroPoints kZeroPoints>
  [[gnu::noinline]] void convertTo(int64_t end) {
    // For all the compiler knows, vector stores might change what these are copies of.
    const GemmCall call = call_;
    PanelTerms terms[PB];
    for (int j = 0; j < PB; ++j) terms[j] = terms_[j];
    const bool clipped = clips(call.epilogue);
    const int32_t* from = accumulators_ + done_ * kScratchRow;
    int64_t index = (row_ + done_) * call.ld + terms[0].channel;
    for (int64_t r = done_, row = row_ + done_; r < end; ++r, ++row, from += kScratchRow, index += call.ld) {
#pragma GCC unroll 2
      for (int j = 0; j < PB; ++j) {
        PanelTerms& t = terms[j];
        __m512i c = trueSum<kInt4>(_mm512_load_si512(from + j * kPanel));
        if constexpr (kZeroPoints == ZeroPoints::products) t.setRow(call, row);
        if constexpr (kZeroPoints == ZeroPoints::pairs) {
          c = _mm512_dpwssd_epi32(c, t.sums, _mm512_set1_epi32(zeroPairs_[r]));
        } else {
          c = _mm512_sub_epi32(c, t.zero);
        }
        const int64_t at = index + j * kPanel;
        if constexpr (!kFloats) {
          _mm512_mask_storeu_epi32(call.acc + at, t.mask, c);
          continue;
        }
        const __m512 scales = kZeroPoints == ZeroPoints::pairs
                                  ? _mm512_mul_ps(_mm512_set1_ps(call.rowScale[row]), t.scales)
                                  : t.rowScales;
        __m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(c), scales, t.bias);
        if (call.epilogue.residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(t.mask, call.epilogue.residual + at));
        if (clipped) y = clip(y, _mm512_set1_ps(call.epilogue.clipMin), _mm512_set1_ps(call.epilogue.clipMax));
        _mm512_mask_storeu_ps(call.out + at, t.mask, y);
      }
    }
  }

  const GemmCall& call_;
  const ZeroPoints zeroPoints_;
  const int64_t stepsBetween_;
  const int64_t rowsAtOnce_;
  int64_t wait_ = 1;
  int64_t row_ = 0;
  int64_t rows_ = 0;
  int64_t done_ = 0;
  int64_t panel_ = -1;
  int panels_ = 0;
  PanelTerms terms_[2];
  alignas(64) int32_t zeroPairs_[2 * kRowBlock];
  alignas(64) int32_t accumulators_[2 * kRowBlock * kScratchRow];
};

}  // namespace
}  // namespace faultline
