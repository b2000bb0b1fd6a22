#include "ops/inside_taps.h"

#include <algorithm>
#include <vector>

#include "dispatch/dispatch.h"
#include "ops/implicit_gemm.h"

namespace faultline {
namespace {

struct Table;
struct Offsets;
struct Sums;
struct ZeroPoints;
struct Scales;
struct Expanded;

// Across samples: the images of a batch, and the panels that its pixels pass over in turn, share the second-level
// cache.
constexpr int64_t kImagesBytes = 640 * 1024;
constexpr int64_t kPanelsBytes = 256 * 1024;
constexpr int64_t kMaxSamples = 4 * kRowBlock;
// The share of taps from which on it pays where nothing would be gathered otherwise: outputs across samples are written
// here and there, and a call for every output row does less at a time.
constexpr double kMinSaving = 0.045;
constexpr double kMinSavingGathered = 0.01;
// Rows shorter than this leave kernels without enough sums in flight.
constexpr int64_t kMinRow = 4;

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
  const std::vector<TapRange>& ranges() const { return ranges_; }
  int64_t rangeOf(int64_t output) const { return rangeOf_[static_cast<size_t>(output)]; }
  // Taps inside, over all outputs.
  int64_t inside() const { return inside_; }

 private:
  std::vector<TapRange> ranges_;
  std::vector<int64_t> rangeOf_;
  int64_t inside_ = 0;
};

Axis rowsOf(const ConvGeometry& g) {
  const Conv2dWindow& v = g.window;
  return Axis(g.outH, g.h, g.kernelH, v.strideH, v.dilationH, v.padTop);
}
// Where single columns cannot be left out, the padding at the sides counts as inside.
Axis columnsOf(const ConvGeometry& g, bool tapsAlign) {
  const Conv2dWindow& v = g.window;
  return tapsAlign ? Axis(g.outW, g.w, g.kernelW, v.strideW, v.dilationW, v.padLeft)
                   : Axis(g.outW, g.imageW, g.kernelW, v.strideW, v.dilationW, 0);
}

class InsideProduct {
 public:
  InsideProduct(const Conv2dDynamicArgs& args, InsideTaps way, const ImageBatch& batch)
      : args_(args),
        batch_(batch),
        g_(batch.geometry),
        conv_(*args.weights),
        matrix_(conv_.groups[0]),
        across_(way == InsideTaps::acrossSamples),
        rows_(rowsOf(g_)),
        columns_(columnsOf(g_, conv_.tapsAlign())) {
    const int64_t kBlocks = matrix_.kBlocks;
    const int64_t most = across_ ? batch.count : g_.outW;
    table_ = scratch<Table, const uint8_t*>(static_cast<size_t>(ceilDiv(most, kRowBlock) * kBlocks));
    offsets_ = scratch<Offsets, int64_t>(static_cast<size_t>(kBlocks));
    columnRanges_ = columns_.ranges();
    if (!across_ && conv_.tapsAlign()) {
      columnRanges_ = {{0, g_.kernelW}, {columnRanges_.front().begin, g_.kernelW}, {0, columnRanges_.back().end}};
    }
    sums_ =
        scratch<Sums, int32_t>(rows_.ranges().size() * columnRanges_.size() * static_cast<size_t>(matrix_.paddedN()));
    zeroPoint_ = scratch<ZeroPoints, int32_t>(static_cast<size_t>(most));
    scale_ = scratch<Scales, float>(static_cast<size_t>(most));
    if (conv_.storage == WeightStorage::int4) {
      expanded_ = scratch<Expanded, uint8_t>(static_cast<size_t>(2 * kBlocks * kInt8BlockBytes));
    }
    // A block lies in one tap, or anywhere in a kernel row that is one run of bytes.
    blocksPerRow_ = conv_.kernelRowK / kBlockK;
    blocksPerTap_ = conv_.tapsAlign() ? conv_.shape.groupChannels / kBlockK : blocksPerRow_;
    for (int64_t b = 0; b < kBlocks; ++b) {
      const int64_t row = b / blocksPerRow_, inRow = b % blocksPerRow_;
      offsets_[b] = row * g_.window.dilationH * g_.rowBytes + inRow / blocksPerTap_ * g_.window.dilationW * g_.imageC +
                    inRow % blocksPerTap_ * kBlockK;
    }
  }

  void run(const Slice& pixels, const Slice& panels) {
    const int64_t perGroup = conv_.panelsPerGroup();
    const int64_t fitting = kPanelsBytes / (matrix_.kBlocks * matrix_.blockBytes());
    const int64_t step = std::max<int64_t>(fitting / 2 * 2, 2);  // kernels take them in pairs
    for (int64_t group = panels.begin / perGroup; group * perGroup < panels.end; ++group) {
      sumInside(group);
      const int64_t end = std::min(panels.end - group * perGroup, perGroup);
      for (int64_t panel = std::max<int64_t>(panels.begin - group * perGroup, 0); panel < end; panel += step) {
        const Slice some = {panel, std::min(panel + step, end)};
        across_ ? acrossSamples(group, some) : alongRows(pixels, group, some);
      }
    }
  }

 private:
  const int32_t* sums(int64_t rowRange, int64_t columnRange) const {
    return sums_ + (rowRange * static_cast<int64_t>(columnRanges_.size()) + columnRange) * matrix_.paddedN();
  }

  void sumInside(int64_t group) const {
    int32_t* to = sums_;
    for (const TapRange& rows : rows_.ranges()) {
      for (const TapRange& columns : columnRanges_) {
        sumTaps(conv_, group, {rows, columns}, to);
        to += matrix_.paddedN();
      }
    }
  }

  void setParams(int64_t i, const AffineParams& params) const {
    zeroPoint_[i] = params.zeroPoint;
    scale_[i] = params.scale;
  }

  void acrossSamples(int64_t group, const Slice& panels) const {
    for (int64_t i = 0; i < batch_.count; ++i) setParams(i, batch_.params[i]);
    for (int64_t y = 0; y < g_.outH; ++y) {
      for (int64_t x = 0; x < g_.outW; ++x) {
        GemmCall call = product(group, panels, rows_.rangeOf(y), columns_.rangeOf(x));
        call.aRowStride = g_.imageBytes;
        call.rows = batch_.count;
        call.sameParams = args_.perTensor;
        call.ld = g_.outPixels() * g_.outC;
        multiply(call, 0, y, x, group);
      }
    }
  }

  void alongRows(const Slice& pixels, int64_t group, const Slice& panels) const {
    for (int64_t at = pixels.begin; at < pixels.end;) {
      const int64_t sample = at / g_.outPixels();
      const int64_t y = at % g_.outPixels() / g_.outW, x = at % g_.outW;
      GemmCall call = product(group, panels, rows_.rangeOf(y), 0);
      call.rows = std::min(g_.outW - x, pixels.end - at);
      for (int64_t i = 0; i < call.rows; ++i) setParams(i, batch_.params[sample]);
      call.aRowStride = g_.window.strideW * g_.imageC;
      call.sameParams = true;
      call.ld = g_.outC;
      if (call.rows > 1 && conv_.tapsAlign()) {
        if (x == 0) call.firstRow = edge(columnRanges_[1], rows_.rangeOf(y), 1);
        if (x + call.rows == g_.outW) call.lastRow = edge(columnRanges_[2], rows_.rangeOf(y), 2);
        // A window wider than the image.
        if (call.firstRow.blocks + call.lastRow.blocks > blocksPerRow_) call.lastRow = {};
      }
      multiply(call, sample, y, x, group);
      at += call.rows;
    }
  }

  PaddedEdge edge(const TapRange& columns, int64_t rowRange, int64_t columnRange) const {
    return {(g_.kernelW - columns.size()) * blocksPerTap_, sums(rowRange, columnRange)};
  }

  GemmCall product(int64_t group, const Slice& panels, int64_t rowRange, int64_t columnRange) const {
    GemmCall call;
    call.setWeights(conv_.groups[static_cast<size_t>(group)]);
    call.runs = tapRuns(
        conv_, {rows_.ranges()[static_cast<size_t>(rowRange)], columnRanges_[static_cast<size_t>(columnRange)]});
    call.sums = sums(rowRange, columnRange);
    call.panelBegin = panels.begin;
    call.panelEnd = panels.end;
    call.expanded = expanded_;
    call.zeroPoint = zeroPoint_;
    call.rowScale = scale_;
    return call;
  }

  // The first row of the call is output (y, x) of sample i.
  void multiply(GemmCall& call, int64_t i, int64_t y, int64_t x, int64_t group) const {
    const int64_t top = y * g_.window.strideH - (g_.window.padTop - g_.top);
    const int64_t left = x * g_.window.strideW - (g_.window.padLeft - g_.left);
    const int64_t window = top * g_.rowBytes + left * g_.imageC + group * conv_.shape.groupChannels;
    const int64_t blocks = ceilDiv(call.runs.groups * matrix_.kGroup, kBlockK);
    for (int64_t row = 0; row < call.rows; row += kRowBlock) {
      const uint8_t** entries = table_ + row / kRowBlock * matrix_.kBlocks;
      const uint8_t* image = batch_.image(i) + row * call.aRowStride;
      for (int64_t run = call.runs.begin; run < call.runs.end; run += call.runs.step) {
        for (int64_t b = run; b < run + blocks; ++b) entries[b] = image + (window + offsets_[b]);
      }
    }
    call.a = table_;
    const int64_t channel = group * conv_.shape.groupOutChannels();
    const int64_t pixel = (batch_.first + i) * g_.outPixels() + y * g_.outW + x;
    setOutputs(args_, channel, pixel * g_.outC + channel, &call);
    kernels().gemm(call);
  }

  const Conv2dDynamicArgs& args_;
  const ImageBatch& batch_;
  const ConvGeometry& g_;
  const PackedConv& conv_;
  const PackedMatrix& matrix_;  // of the first group: all have one shape
  bool across_;
  Axis rows_, columns_;
  std::vector<TapRange> columnRanges_;  // across samples those of the axis; else all, the first and the last row's
  int64_t blocksPerRow_, blocksPerTap_;
  const uint8_t** table_;
  int64_t* offsets_;  // of every k-block in a window
  int32_t* sums_;     // [row ranges][column ranges][panels · 16]
  int32_t* zeroPoint_;
  float* scale_;
  uint8_t* expanded_ = nullptr;
};

}  // namespace

void leaveOutPadding(const Conv2dDynamicArgs& args, InsideTaps way, ConvGeometry* geometry) {
  geometry->leaveOutPadding(way == InsideTaps::acrossSamples && args.weights->tapsAlign());
}

InsideTapsPlan planInsideTaps(const Conv2dDynamicArgs& args, const ConvGeometry& geometry, int64_t samples) {
  const PackedConv& conv = *args.weights;
  if (conv.tapSums.size() == 0 || geometry.flat || args.saturating16) return {};
  // Without whole blocks for a tap, a kernel row has to be one run of bytes.
  const bool wholeRows = conv.shape.groups == 1 && (args.window.dilationW == 1 || conv.shape.kernelW == 1);
  if (!conv.tapsAlign() && !wholeRows) return {};
  const double inside = static_cast<double>(rowsOf(geometry).inside()) *
                        static_cast<double>(columnsOf(geometry, conv.tapsAlign()).inside());
  const double share = inside / static_cast<double>(geometry.outPixels() * geometry.kernelH * geometry.kernelW);
  if (share > 1 - (readsInPlace(geometry) ? kMinSaving : kMinSavingGathered)) return {};
  ConvGeometry g = geometry;
  leaveOutPadding(args, InsideTaps::acrossSamples, &g);
  const int64_t fitting = std::min(kImagesBytes / g.imageBytes, kMaxSamples) / kRowBlock * kRowBlock;
  if (samples >= kRowBlock && fitting > 0) return {InsideTaps::acrossSamples, fitting};
  // AMX's tiles of 16 rows would stay half empty.
  if (kernels().isa != Isa::amxInt8 && g.outW >= kMinRow) return {InsideTaps::alongRows};
  return {};
}

void multiplyInsideTaps(const Conv2dDynamicArgs& args, InsideTaps way, const ImageBatch& batch, const Slice& pixels,
                        const Slice& panels) {
  if (pixels.size() > 0 && panels.size() > 0) InsideProduct(args, way, batch).run(pixels, panels);
}

}  // namespace faultline
