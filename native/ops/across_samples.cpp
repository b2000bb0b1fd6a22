#include "ops/across_samples.h"

#include <algorithm>
#include <vector>

#include "dispatch/dispatch.h"
#include "ops/implicit_gemm.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

struct Table;
struct Offsets;
struct Sums;
struct ZeroPoints;
struct Scales;
struct Expanded;

// The images of a batch, and the panels that its pixels pass over in turn, share the second-level cache.
constexpr int64_t kImagesBytes = 640 * 1024;
constexpr int64_t kPanelsBytes = 256 * 1024;
constexpr int64_t kMaxSamples = 4 * kRowBlock;
// Where nothing would be gathered anyway, the taps left out have to be worth outputs that are written here and there.
constexpr double kMinSaving = 0.05;

// Which taps lie inside the image, for every output along one axis.
class Axis {
 public:
  // The window of output 0 begins `pad` before the image.
  Axis(int64_t outputs, int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad) {
    for (int64_t at = 0; at < outputs; ++at) {
      const auto tapsBefore = [&](int64_t end) {
        return std::clamp<int64_t>(ceilDiv(std::max<int64_t>(end + pad - at * stride, 0), dilation), 0, kernel);
      };
      const TapRange taps = {tapsBefore(0), tapsBefore(size)};
      inside_ += taps.size();
      if (ranges_.empty() || !(ranges_.back() == taps)) ranges_.push_back(taps);
      rangeOf_.push_back(static_cast<int64_t>(ranges_.size()) - 1);
    }
  }

  // Neighbours share a range.
  int64_t count() const { return static_cast<int64_t>(ranges_.size()); }
  const TapRange& range(int64_t i) const { return ranges_[static_cast<size_t>(i)]; }
  int64_t rangeOf(int64_t output) const { return rangeOf_[static_cast<size_t>(output)]; }
  // Taps inside, over all outputs.
  int64_t inside() const { return inside_; }

 private:
  std::vector<TapRange> ranges_;
  std::vector<int64_t> rangeOf_;
  int64_t inside_ = 0;
};

Axis rowsOf(const ConvGeometry& g) {
  return Axis(g.outH, g.imageH, g.kernelH, g.window.strideH, g.window.dilationH, g.window.padTop - g.top);
}
Axis columnsOf(const ConvGeometry& g) {
  return Axis(g.outW, g.imageW, g.kernelW, g.window.strideW, g.window.dilationW, g.window.padLeft - g.left);
}

class AcrossSamples {
 public:
  AcrossSamples(const Conv2dDynamicArgs& args, const ImageBatch& batch)
      : args_(args),
        batch_(batch),
        g_(batch.geometry),
        conv_(*args.weights),
        matrix_(conv_.groups[0]),
        rows_(rowsOf(g_)),
        columns_(columnsOf(g_)) {
    const int64_t kBlocks = matrix_.kBlocks;
    table_ = scratch<Table, const uint8_t*>(static_cast<size_t>(ceilDiv(batch.count, kRowBlock) * kBlocks));
    offsets_ = scratch<Offsets, int64_t>(static_cast<size_t>(kBlocks));
    sums_ = scratch<Sums, int32_t>(static_cast<size_t>(rows_.count() * columns_.count() * matrix_.paddedN()));
    zeroPoint_ = scratch<ZeroPoints, int32_t>(static_cast<size_t>(batch.count));
    scale_ = scratch<Scales, float>(static_cast<size_t>(batch.count));
    if (conv_.storage == WeightStorage::int4) {
      expanded_ = scratch<Expanded, uint8_t>(static_cast<size_t>(2 * kBlocks * kInt8BlockBytes));
    }
    for (int64_t i = 0; i < batch.count; ++i) {
      zeroPoint_[i] = batch.params[i].zeroPoint;
      scale_[i] = batch.params[i].scale;
    }
    // A block lies in one tap, or anywhere in a kernel row that is one run of bytes.
    const int64_t blocksPerRow = conv_.kernelRowK / kBlockK;
    const int64_t blocksPerTap = conv_.tapsAlign() ? conv_.shape.groupChannels / kBlockK : blocksPerRow;
    for (int64_t b = 0; b < kBlocks; ++b) {
      const int64_t row = b / blocksPerRow, column = b % blocksPerRow / blocksPerTap;
      offsets_[b] = row * g_.window.dilationH * g_.rowBytes + column * g_.window.dilationW * g_.imageC +
                    b % blocksPerRow % blocksPerTap * kBlockK;
    }
  }

  void run() {
    const int64_t panels = conv_.panelsPerGroup();
    const int64_t fitting = kPanelsBytes / (matrix_.kBlocks * matrix_.blockBytes());
    const int64_t step = std::max<int64_t>(fitting / 2 * 2, 2);  // kernels take them in pairs
    for (int64_t group = 0; group < conv_.shape.groups; ++group) {
      sumInside(group);
      for (int64_t panel = 0; panel < panels; panel += step) {
        for (int64_t y = 0; y < g_.outH; ++y) {
          for (int64_t x = 0; x < g_.outW; ++x) multiply(y, x, group, {panel, std::min(panel + step, panels)});
        }
      }
    }
  }

 private:
  int32_t* sums(int64_t rowRange, int64_t columnRange) const {
    return sums_ + (rowRange * columns_.count() + columnRange) * matrix_.paddedN();
  }

  void sumInside(int64_t group) const {
    for (int64_t i = 0; i < rows_.count(); ++i) {
      for (int64_t j = 0; j < columns_.count(); ++j) {
        sumTaps(conv_, group, {rows_.range(i), columns_.range(j)}, sums(i, j));
      }
    }
  }

  void multiply(int64_t y, int64_t x, int64_t group, const Slice& panels) const {
    const int64_t rowRange = rows_.rangeOf(y), columnRange = columns_.rangeOf(x);
    GemmCall call;
    call.setWeights(conv_.groups[static_cast<size_t>(group)]);
    call.runs = tapRuns(conv_, {rows_.range(rowRange), columns_.range(columnRange)});
    call.sums = sums(rowRange, columnRange);
    address(y, x, group, call.runs);
    call.a = table_;
    call.aRowStride = g_.imageBytes;
    call.rows = batch_.count;
    call.panelBegin = panels.begin;
    call.panelEnd = panels.end;
    call.expanded = expanded_;
    call.zeroPoint = zeroPoint_;
    call.rowScale = scale_;
    call.sameParams = args_.perTensor;
    call.ld = g_.outPixels() * g_.outC;
    const int64_t channel = group * conv_.shape.groupOutChannels();
    setOutputs(args_, channel, batch_.first * call.ld + (y * g_.outW + x) * g_.outC + channel, &call);
    kernels().gemm(call);
  }

  void address(int64_t y, int64_t x, int64_t group, const KRuns& runs) const {
    const int64_t top = y * g_.window.strideH - (g_.window.padTop - g_.top);
    const int64_t left = x * g_.window.strideW - (g_.window.padLeft - g_.left);
    const int64_t window = top * g_.rowBytes + left * g_.imageC + group * conv_.shape.groupChannels;
    const int64_t blocks = ceilDiv(runs.groups * matrix_.kGroup, kBlockK);
    for (int64_t i = 0; i < batch_.count; i += kRowBlock) {
      const uint8_t** entries = table_ + i / kRowBlock * matrix_.kBlocks;
      const uint8_t* image = batch_.image(i);
      for (int64_t run = runs.begin; run < runs.end; run += runs.step) {
        for (int64_t b = run; b < run + blocks; ++b) entries[b] = image + (window + offsets_[b]);
      }
    }
  }

  const Conv2dDynamicArgs& args_;
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  const PackedConv& conv_;
  const PackedMatrix& matrix_;  // of the first group: all have one shape
  Axis rows_, columns_;
  const uint8_t** table_;
  int64_t* offsets_;  // of every k-block in a window
  int32_t* sums_;     // [row ranges][column ranges][panels · 16]
  int32_t* zeroPoint_;
  float* scale_;
  uint8_t* expanded_ = nullptr;
};

}  // namespace

int64_t samplesAcross(const Conv2dDynamicArgs& args, const ConvGeometry& geometry, int64_t samples) {
  const PackedConv& conv = *args.weights;
  if (conv.tapSums.size() == 0 || geometry.flat || args.saturating16 || samples < kRowBlock) return 0;
  const bool wholeRows = conv.shape.groups == 1 && (args.window.dilationW == 1 || conv.shape.kernelW == 1);
  if (!conv.tapsAlign() && !wholeRows) return 0;
  ConvGeometry g = geometry;
  g.leaveOutPadding(conv.tapsAlign());
  const int64_t fitting = std::min(kImagesBytes / g.imageBytes, kMaxSamples) / kRowBlock * kRowBlock;
  const double inside = static_cast<double>(rowsOf(g).inside()) * static_cast<double>(columnsOf(g).inside());
  const double all = static_cast<double>(g.outPixels() * g.kernelH * g.kernelW);
  return readsInPlace(g) && inside > all * (1 - kMinSaving) ? 0 : fitting;
}

void multiplyAcrossSamples(const Conv2dDynamicArgs& args, const ImageBatch& batch) {
  AcrossSamples(args, batch).run();
}

}  // namespace faultline
