#include "ops/depthwise.h"

#include <algorithm>

#include "dispatch/dispatch.h"

namespace faultline {
namespace {

struct Taps;
struct TapTable;
struct Init;
struct Scale;

// interleaveRows writes up to this far past its result, and the kernel reads one vector past the last pixel.
constexpr int64_t kTapSlack = 256 + 64;

// Works through the output rows of one sample.
class DepthwiseRows {
 public:
  DepthwiseRows(const Conv2dDynamicArgs& args, const ImageBatch& batch)
      : args_(args), batch_(batch), g_(batch.geometry), weights_(args.weights->depthwise) {
    rowStep_ = g_.kernelH == 1 ? g_.window.strideH : g_.window.dilationH;
    // Output rows that share one interleaved buffer: neighbours must be as far apart as the window's rows.
    shared_ = g_.window.strideH == rowStep_ ? weights_.shifts : 1;
    tapBytes_ = g_.rowBytes * kTapRows + kTapSlack;
    taps_ = scratch<Taps, uint8_t>(static_cast<size_t>(weights_.rowGroups * tapBytes_));
    table_ = scratch<TapTable, const uint8_t*>(static_cast<size_t>(weights_.rowGroups));
    for (int64_t i = 0; i < weights_.rowGroups; ++i) table_[i] = taps_ + i * tapBytes_;
    init_ = scratch<Init, int32_t>(static_cast<size_t>(weights_.paddedChannels));
    scale_ = scratch<Scale, float>(static_cast<size_t>(weights_.paddedChannels));
    call_.taps = table_;
    call_.rowGroups = weights_.rowGroups;
    call_.kernelW = g_.kernelW;
    call_.pixelStep = g_.window.strideW * g_.imageC;
    call_.tapStep = g_.window.dilationW * g_.imageC;
    call_.pixels = g_.outW;
    call_.channels = g_.outC;
    call_.init = init_;
    call_.scale = scale_;
    call_.epilogue = args.epilogue;
  }

  void run(int64_t sample, int64_t begin, int64_t end) {
    const AffineParams& params = batch_.params[sample];
    for (int64_t n = 0; n < weights_.paddedChannels; ++n) {
      init_[n] = -params.zeroPoint * weights_.sums[static_cast<size_t>(n)];
      scale_[n] = params.scale * weights_.scales[static_cast<size_t>(n)];
    }
    for (int64_t row = begin; row < end; row += shared_) {
      interleave(sample, row);
      for (int64_t i = 0; i < std::min(shared_, end - row); ++i) multiply(sample, row + i, i);
    }
  }

 private:
  void interleave(int64_t sample, int64_t outRow) {
    for (int64_t group = 0; group < weights_.rowGroups; ++group) {
      const uint8_t* rows[kTapRows];
      for (int64_t r = 0; r < kTapRows; ++r) {
        // Rows past the window have weight 0; any row that exists will do.
        const int64_t row = outRow * g_.window.strideH + (group * kTapRows + r) * rowStep_;
        rows[r] = batch_.image(sample) + std::min(row, g_.imageH - 1) * g_.rowBytes;
      }
      kernels().depthwise->interleaveRows(rows, g_.rowBytes, taps_ + group * tapBytes_);
    }
  }

  void multiply(int64_t sample, int64_t outRow, int64_t shift) {
    const int64_t index = ((batch_.first + sample) * g_.outH + outRow) * g_.outW * g_.outC;
    DepthwiseCall call = call_;
    call.weights = weights_.data.data() + shift * weights_.shiftBytes(g_.kernelW);
    if (args_.acc) {
      call.acc = args_.acc + index;
    } else {
      call.out = args_.out + index;
    }
    if (call.epilogue.residual) call.epilogue.residual += index;
    kernels().depthwise->row(call);
  }

  const Conv2dDynamicArgs& args_;
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  const PackedDepthwise& weights_;
  int64_t rowStep_;  // image rows between the rows of a window
  int64_t shared_;
  int64_t tapBytes_;
  uint8_t* taps_;
  const uint8_t** table_;
  int32_t* init_;
  float* scale_;
  DepthwiseCall call_;
};

}  // namespace

void multiplyDepthwise(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& rows) {
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
