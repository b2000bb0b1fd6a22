#include "ops/implicit_gemm.h"

#include <algorithm>
#include <cstring>

#include "dispatch/dispatch.h"
#include "ops/saturating16.h"

namespace faultline {
namespace {

struct Table;
struct Codes;
struct ZeroPoints;
struct Scales;
struct Offsets;
struct Runs;
struct Expanded;

// Direct reading cuts row blocks at the end of each output row. Shorter rows that 16 does not divide waste too much of
// the kernels' tiles.
constexpr int64_t kMinDirectRow = 24;
// Pixels handed to a kernel at once when nothing else limits them.
constexpr int64_t kMaxPixels = 512;

// A contiguous piece of a window: where it lies, from the window's first byte, and which k it stands for.
struct Run {
  int64_t from;
  int64_t k;
  int64_t length;
};

// Copies a run, rounded up to whole vectors: what lands behind it is overwritten by the next run or never used.
inline void copyRun(uint8_t* to, const uint8_t* from, int64_t length) {
  if (length <= 16) {
    std::memcpy(to, from, 16);
  } else if (length <= 32) {
    std::memcpy(to, from, 32);
  } else {
    for (int64_t i = 0; i < length; i += 64) std::memcpy(to + i, from + i, 64);
  }
}
constexpr int64_t kCopySlack = 64;

// The output pixels of a batch, in order.
class Pixel {
 public:
  Pixel(const ImageBatch& batch, int64_t index) : batch_(batch), g_(batch.geometry) {
    sample_ = index / g_.outPixels();
    row_ = index % g_.outPixels() / g_.outW;
    column_ = index % g_.outW;
  }
  const uint8_t* window() const {
    return batch_.image(sample_) + row_ * g_.window.strideH * g_.rowBytes + column_ * g_.window.strideW * g_.imageC;
  }
  void advance(int64_t count = 1) {
    for (column_ += count; column_ >= g_.outW; column_ -= g_.outW) {
      if (++row_ < g_.outH) continue;
      row_ = 0;
      ++sample_;
    }
  }

 private:
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  int64_t sample_;
  int64_t row_;
  int64_t column_;
};

class ImplicitGemm {
 public:
  ImplicitGemm(const Conv2dDynamicArgs& args, const ImageBatch& batch)
      : args_(args), batch_(batch), g_(batch.geometry), conv_(*args.weights), kBlocks_(conv_.groups[0].kBlocks) {
    const ConvWeightShape& shape = conv_.shape;
    const bool wholeRows = shape.groups == 1 && (g_.window.dilationW == 1 || g_.kernelW == 1);
    runLength_ = wholeRows ? g_.kernelW * shape.groupChannels : shape.groupChannels;
    const int64_t runsPerRow = wholeRows ? 1 : g_.kernelW;
    runCount_ = g_.kernelH * runsPerRow;
    runs_ = scratch<Runs, Run>(static_cast<size_t>(runCount_));
    for (int64_t i = 0; i < runCount_; ++i) {
      const int64_t kh = i / runsPerRow, kw = i % runsPerRow;
      runs_[i] = {kh * g_.window.dilationH * g_.rowBytes + kw * g_.window.dilationW * g_.imageC,
                  kh * conv_.kernelRowK + kw * runLength_, runLength_};
    }
    direct_ = readsInPlace(g_) && layDirectOffsets();
    // An odd number of cache lines from row to row spreads the rows over the sets of the first-level cache.
    pitch_ = direct_ ? g_.window.strideW * g_.imageC : (kBlocks_ | 1) * kBlockK;
    capacity_ = direct_ ? kMaxPixels : rowsPerChunk(conv_.groups[0]);
    table_ = scratch<Table, const uint8_t*>(static_cast<size_t>(capacity_ / kRowBlock * kBlocks_));
    zeroPoint_ = scratch<ZeroPoints, int32_t>(static_cast<size_t>(capacity_));
    scale_ = scratch<Scales, float>(static_cast<size_t>(capacity_));
    if (conv_.storage == WeightStorage::int4) {
      expanded_ = scratch<Expanded, uint8_t>(static_cast<size_t>(2 * kBlocks_ * kInt8BlockBytes));
    }
    codes_ = direct_ ? nullptr : scratch<Codes, uint8_t>(static_cast<size_t>(capacity_ * pitch_ + kCopySlack));
  }

  void run(const Slice& pixels, const Slice& panels) {
    const int64_t perGroup = conv_.panelsPerGroup();
    for (int64_t begin = pixels.begin; begin < pixels.end;) {
      const int64_t count = nextChunk(begin, pixels.end);
      setRowParams(begin, count);
      for (int64_t group = panels.begin / perGroup; group * perGroup < panels.end; ++group) {
        if (direct_) {
          address(begin, count, group);
        } else {
          gather(begin, count, group);
        }
        const Slice own = {std::max(panels.begin - group * perGroup, int64_t{0}),
                           std::min(panels.end - group * perGroup, perGroup)};
        multiply(begin, count, group, own);
      }
      begin += count;
    }
  }

 private:
  // Where each k-block lies in a window, if none straddles two runs.
  bool layDirectOffsets() {
    offsets_ = scratch<Offsets, int64_t>(static_cast<size_t>(kBlocks_));
    int64_t block = 0;
    for (int64_t i = 0; i < runCount_; ++i) {
      if (runs_[i].k != block * kBlockK) return false;
      for (int64_t at = 0; at < runs_[i].length; at += kBlockK) offsets_[block++] = runs_[i].from + at;
    }
    return true;
  }

  // Direct chunks end after a row block that the end of an output row cut short.
  int64_t nextChunk(int64_t begin, int64_t end) const {
    const int64_t most = std::min(capacity_, end - begin);
    if (!direct_ || g_.flat || g_.outW % kRowBlock == 0) return most;
    return std::min(most, g_.outW - begin % g_.outW);
  }

  // Sample by sample; the next chunk is often of the same one.
  void setRowParams(int64_t begin, int64_t count) {
    const int64_t first = begin / g_.outPixels();
    oneSample_ = (begin + count - 1) / g_.outPixels() == first;
    if (oneSample_ && first == filledSample_ && count <= filled_) return;
    filledSample_ = oneSample_ ? first : -1;
    filled_ = count;
    for (int64_t i = 0; i < count;) {
      const int64_t sample = (begin + i) / g_.outPixels();
      const int64_t end = std::min((sample + 1) * g_.outPixels() - begin, count);
      std::fill(zeroPoint_ + i, zeroPoint_ + end, batch_.params[sample].zeroPoint);
      std::fill(scale_ + i, scale_ + end, batch_.params[sample].scale);
      i = end;
    }
  }

  void address(int64_t begin, int64_t count, int64_t group) {
    const uint8_t** entry = table_;
    Pixel pixel(batch_, begin);
    for (int64_t i = 0; i < count; i += kRowBlock, pixel.advance(kRowBlock)) {
      const uint8_t* window = pixel.window() + group * conv_.shape.groupChannels;
      for (int64_t block = 0; block < kBlocks_; ++block) *entry++ = window + offsets_[block];
    }
  }

  void gather(int64_t begin, int64_t count, int64_t group) {
    Pixel pixel(batch_, begin);
    for (int64_t i = 0; i < count; ++i, pixel.advance()) {
      const uint8_t* window = pixel.window() + group * conv_.shape.groupChannels;
      uint8_t* to = codes_ + i * pitch_;
      for (int64_t r = 0; r < runCount_; ++r) copyRun(to + runs_[r].k, window + runs_[r].from, runs_[r].length);
    }
    const uint8_t** entry = table_;
    for (int64_t i = 0; i < count; i += kRowBlock) {
      for (int64_t block = 0; block < kBlocks_; ++block) *entry++ = codes_ + i * pitch_ + block * kBlockK;
    }
  }

  void multiply(int64_t begin, int64_t count, int64_t group, const Slice& panels) {
    GemmCall call;
    call.a = table_;
    call.aRowStride = pitch_;
    call.rows = count;
    call.setWeights(conv_.groups[static_cast<size_t>(group)]);
    call.panelBegin = panels.begin;
    call.panelEnd = panels.end;
    call.expanded = expanded_;
    call.zeroPoint = zeroPoint_;
    call.rowScale = scale_;
    call.sameParams = oneSample_;
    call.ld = g_.outC;
    const int64_t channel = group * conv_.shape.groupOutChannels();
    setOutputs(args_, channel, (batch_.first * g_.outPixels() + begin) * g_.outC + channel, &call);
    const bool depthwise = conv_.shape.groups > 1 && conv_.shape.groupChannels == 1;
    if (args_.saturating16 && !depthwise) {
      gemmSaturating16(call, args_.saturations ? args_.saturations + channel : nullptr);
    } else {
      kernels().gemm(call);
    }
  }

  const Conv2dDynamicArgs& args_;
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  const PackedConv& conv_;
  int64_t kBlocks_;
  int64_t runLength_;
  int64_t runCount_;
  Run* runs_;
  int64_t* offsets_ = nullptr;  // direct: [kBlocks]
  bool direct_;
  int64_t pitch_;     // bytes between the rows of a row block
  int64_t capacity_;  // pixels
  const uint8_t** table_;
  int32_t* zeroPoint_;
  float* scale_;
  // Whether a chunk lies in one sample; then which, and how many rows have its parameters.
  bool oneSample_ = false;
  int64_t filledSample_ = -1;
  int64_t filled_ = 0;
  uint8_t* expanded_ = nullptr;
  uint8_t* codes_;
};

}  // namespace

bool readsInPlace(const ConvGeometry& g) { return g.flat || g.outW % kRowBlock == 0 || g.outW >= kMinDirectRow; }

void setOutputs(const Conv2dDynamicArgs& args, int64_t channel, int64_t index, GemmCall* call) {
  call->epilogue = args.epilogue;
  if (call->epilogue.bias) call->epilogue.bias += channel;
  if (call->epilogue.residual) call->epilogue.residual += index;
  if (args.acc) {
    call->acc = args.acc + index;
  } else {
    call->out = args.out + index;
  }
}

void multiplyImages(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& pixels, const Slice& panels) {
  if (pixels.size() > 0 && panels.size() > 0) ImplicitGemm(args, batch).run(pixels, panels);
}

}  // namespace faultline
