#include "ops/depthwise.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "dispatch/dispatch.h"

namespace faultline {
namespace {

struct Taps;
struct TapTable;
struct GroupInSlot;
struct Unrepeated;
struct Init;
struct Scale;

// Kernels read one vector past the last lane.
constexpr int64_t kTapSlack = 64;
constexpr int64_t kNone = -1;

// Works through the output rows of one sample. Rows of the padded sample are put into row groups of four neighbours,
// dilationH apart: row residue + dilationH · position is row position % 4 of group position / 4. A ring of slots holds
// the groups that a window reaches, [column][channel][4] each.
class DepthwiseRows {
 public:
  DepthwiseRows(const Conv2dDynamicArgs& args, const ImageBatch& batch)
      : args_(args), batch_(batch), g_(batch.geometry), weights_(args.weights->depthwise) {
    dilation_ = g_.kernelH == 1 ? 1 : g_.window.dilationH;
    // A window that begins in row 2 or 3 of a group reads one group more than it has weights.
    slots_ = weights_.rowGroups + 1;
    left_ = std::min(g_.window.padLeft, g_.imageW);
    columns_ = std::clamp<int64_t>(g_.imageW - left_, 0, g_.w);
    slotBytes_ = roundUp(g_.rowBytes * kTapRows + kTapSlack, int64_t{kAlignment});
    taps_ = scratch<Taps, uint8_t>(static_cast<size_t>(slots_ * slotBytes_));
    table_ = scratch<TapTable, const uint8_t*>(static_cast<size_t>(slots_));
    groupInSlot_ = scratch<GroupInSlot, int64_t>(static_cast<size_t>(slots_));
    init_ = scratch<Init, int32_t>(static_cast<size_t>(weights_.paddedChannels));
    scale_ = scratch<Scale, float>(static_cast<size_t>(weights_.paddedChannels));
    call_.taps = table_;
    call_.rowGroups = weights_.rowGroups;
    call_.kernelW = g_.kernelW;
    call_.pixels = g_.outW;
    call_.pixelStep = g_.window.strideW * g_.imageC;
    call_.tapStep = g_.window.dilationW * g_.imageC;
    call_.channels = g_.outC;
    call_.paddedChannels = weights_.paddedChannels;
    call_.weights = weights_.data.data();
    call_.init = init_;
    call_.scale = scale_;
    call_.epilogue = args.epilogue;
  }

  void run(int64_t sample, int64_t begin, int64_t end) {
    params_ = batch_.params[sample];
    x_ = args_.x + (batch_.first + sample) * g_.sampleFloats();
    for (int64_t n = 0; n < weights_.paddedChannels; ++n) {
      init_[n] = -params_.zeroPoint * weights_.sums[static_cast<size_t>(n)];
      scale_[n] = params_.scale * weights_.scales[static_cast<size_t>(n)];
    }
    padColumns();
    // Output rows whose windows lie in the same rows modulo the dilation are worked through together.
    const int64_t common = std::gcd(g_.window.strideH, dilation_);
    const int64_t outStep = dilation_ / common;
    const int64_t topStep = g_.window.strideH / common;
    for (int64_t first = begin; first < std::min(begin + outStep, end); ++first) {
      std::fill_n(groupInSlot_, slots_, kNone);
      const int64_t top = first * g_.window.strideH;
      runChain({sample, first, outStep, ceilDiv(end - first, outStep)}, top % dilation_, top / dilation_, topStep);
    }
  }

 private:
  // Output rows first, first + step, … of a sample.
  struct OutRows {
    int64_t sample, first, step, count;
  };

  // Left and right of the sample every row is the same.
  void padColumns() const {
    const int64_t column = g_.imageC * kTapRows;
    const int64_t right = left_ + columns_;
    for (int64_t slot = 0; slot < slots_; ++slot) {
      uint8_t* taps = taps_ + slot * slotBytes_;
      std::memset(taps, params_.zeroPoint, static_cast<size_t>(left_ * column));
      std::memset(taps + right * column, params_.zeroPoint, static_cast<size_t>((g_.imageW - right) * column));
    }
  }

  void runChain(const OutRows& out, int64_t residue, int64_t position, int64_t topStep) {
    for (int64_t i = 0; i < out.count;) {
      const int64_t top = position + i * topStep;
      const int64_t group = top / kTapRows;
      DepthwiseCall call = call_;
      call.topStep = topStep;
      call.rowStep = out.step * g_.outW * g_.outC;
      call.firstTop = top % kTapRows;
      call.rows = std::min(ceilDiv(kTapRows - call.firstTop, topStep), out.count - i);
      const int64_t last = (top + (call.rows - 1) * topStep + g_.kernelH - 1) / kTapRows;
      for (int64_t k = 0; k < slots_; ++k) {
        // Groups past the last row of the windows have weight 0; any bytes will do.
        table_[k] = taps_ + (group + k <= last ? slotOf(residue, group + k) : 0) * slotBytes_;
      }
      multiply(call, out.sample, out.first + i * out.step);
      i += call.rows;
    }
  }

  // The slot that holds a row group, quantized now unless it is there.
  int64_t slotOf(int64_t residue, int64_t group) {
    const int64_t slot = group % slots_;
    if (groupInSlot_[slot] != group) quantize(residue, group, taps_ + slot * slotBytes_ + left_ * g_.imageC * kTapRows);
    groupInSlot_[slot] = group;
    return slot;
  }

  void quantize(int64_t residue, int64_t group, uint8_t* taps) const {
    const int64_t lanes = columns_ * g_.imageC;
    TapRows rows;
    bool any = false;
    for (int64_t r = 0; r < kTapRows; ++r) {
      const int64_t y = residue + (group * kTapRows + r) * dilation_ - g_.window.padTop;
      rows.inside[r] = y >= 0 && y < g_.h;
      rows.x[r] = x_ + (rows.inside[r] ? y : 0) * g_.w * g_.c;
      any = any || rows.inside[r];
    }
    if (!any) {
      std::memset(taps, params_.zeroPoint, static_cast<size_t>(lanes * kTapRows));
    } else if (g_.repeat == 1) {
      kernels().depthwise->quantizeTaps(rows, lanes, params_, taps);
    } else {
      uint8_t* narrow = scratch<Unrepeated, uint8_t>(static_cast<size_t>(columns_ * g_.c * kTapRows));
      kernels().depthwise->quantizeTaps(rows, columns_ * g_.c, params_, narrow);
      for (int64_t i = 0; i < lanes; ++i) {
        std::memcpy(taps + i * kTapRows, narrow + i / g_.repeat * kTapRows, kTapRows);
      }
    }
  }

  void multiply(DepthwiseCall& call, int64_t sample, int64_t outRow) const {
    const int64_t index = ((batch_.first + sample) * g_.outH + outRow) * g_.outW * g_.outC;
    if (args_.acc) {
      call.acc = args_.acc + index;
    } else {
      call.out = args_.out + index;
    }
    if (call.epilogue.residual) call.epilogue.residual += index;
    kernels().depthwise->multiply(call);
  }

  const Conv2dDynamicArgs& args_;
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  const PackedDepthwise& weights_;
  int64_t dilation_;  // of rows; 1 where the window has only one
  int64_t slots_;
  int64_t left_;     // columns of padding
  int64_t columns_;  // of the sample that windows reach
  int64_t slotBytes_;
  uint8_t* taps_;
  const uint8_t** table_;
  int64_t* groupInSlot_;
  int32_t* init_;
  float* scale_;
  DepthwiseCall call_;
  AffineParams params_;
  const float* x_ = nullptr;
};

}  // namespace

void convolveDepthwise(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& rows) {
  DepthwiseRows work(args, batch);
  const int64_t outH = batch.geometry.outH;
  for (int64_t row = rows.begin; row < rows.end;) {
    const int64_t sample = row / outH;
    const int64_t end = std::min((sample + 1) * outH, rows.end);
    work.run(sample, row - sample * outH, end - sample * outH);
    row = end;
  }
}

}  // namespace faultline
