// The image is turned from ONNX's channel planes into pixels band by band: a band holds the input rows that a few
// output rows need, [row][column][channel] of one group with the padding in place, so that a window is KH contiguous
// runs.
#include "ops/onnx_integer_conv.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/transpose.h"

namespace faultline {
namespace {

struct BandMemory;
struct WindowMemory;
struct Excess;

// Bands grow no larger than this unless a single output row needs more, and never beyond the second limit.
constexpr int64_t kBandBytes = 1 << 20;
constexpr int64_t kLargestBandBytes = int64_t{1} << 31;

// Input rows of a band, and its columns and bytes a row.
int64_t bandRows(const IntegerConvShape& s, int64_t outRows) {
  return (outRows - 1) * s.window.strideH + (s.kernelH - 1) * s.window.dilationH + 1;
}
int64_t bandWidth(const IntegerConvShape& s) {
  return (s.outW() - 1) * s.window.strideW + (s.kernelW - 1) * s.window.dilationW + 1;
}
double bandBytes(const IntegerConvShape& s, int64_t outRows) {
  return static_cast<double>(bandRows(s, outRows)) * static_cast<double>(bandWidth(s)) *
         static_cast<double>(s.groupC());
}

// One group of one image, and the output rows [rowBegin, rowEnd) of it.
struct Task {
  int64_t image;
  int64_t group;
  int64_t rowBegin;
  int64_t rowEnd;
};

class Band {
 public:
  Band(const IntegerConvArgs& args, const Task& task)
      : args_(args), s_(args.shape), width_(bandWidth(s_)), rowBytes_(width_ * s_.groupC()) {
    const int64_t rows = bandRows(s_, task.rowEnd - task.rowBegin);
    bytes_ = scratch<BandMemory, uint8_t>(static_cast<size_t>(rows * rowBytes_));
    const int64_t top = task.rowBegin * s_.window.strideH - s_.window.padTop;
    for (int64_t r = 0; r < rows; ++r) fillRow(task, top + r, bytes_ + r * rowBytes_);
  }

  // The window of an output pixel, `row` counted from the task's first: out[kh][kw][c].
  void copyWindow(int64_t row, int64_t column, uint8_t* out) const {
    const Conv2dWindow& v = s_.window;
    const int64_t c = s_.groupC();
    for (int64_t kh = 0; kh < s_.kernelH; ++kh) {
      const uint8_t* from = bytes_ + (row * v.strideH + kh * v.dilationH) * rowBytes_ + column * v.strideW * c;
      if (v.dilationW == 1) {
        std::memcpy(out, from, static_cast<size_t>(s_.kernelW * c));
        out += s_.kernelW * c;
        continue;
      }
      for (int64_t kw = 0; kw < s_.kernelW; ++kw, out += c) {
        std::memcpy(out, from + kw * v.dilationW * c, static_cast<size_t>(c));
      }
    }
  }

 private:
  void fillRow(const Task& task, int64_t y, uint8_t* out) const {
    const int64_t c = s_.groupC();
    const int64_t left = std::min(s_.window.padLeft, width_);
    const int64_t right = std::clamp(s_.w + s_.window.padLeft, left, width_);
    const bool inside = y >= 0 && y < s_.h;
    const int padding = args_.xZeroPoint + (args_.xSigned ? kSignShift : 0);
    if (!inside || left > 0 || right < width_) std::memset(out, padding, static_cast<size_t>(rowBytes_));
    if (!inside) return;
    const uint8_t flip = args_.xSigned ? kSignBit : 0;
    const int64_t plane = s_.h * s_.w;
    const uint8_t* x = args_.x + (task.image * s_.c + task.group * c) * plane + y * s_.w;
    uint8_t* to = out + left * c;
    const auto copy = [&](int64_t at, int64_t begin) {
      for (int64_t j = begin; j < right - left; ++j) to[j * c + at] = static_cast<uint8_t>(x[at * plane + j] ^ flip);
    };
    int64_t at = 0;
    for (; at + kTransposed <= c; at += kTransposed) {
      int64_t j = 0;
      for (; j + kTransposed <= right - left; j += kTransposed) {
        transposeBytes(x + at * plane + j, plane, flip, to + j * c + at, c);
      }
      for (int64_t u = 0; u < kTransposed; ++u) copy(at + u, j);
    }
    for (; at < c; ++at) copy(at, 0);
  }

  const IntegerConvArgs& args_;
  const IntegerConvShape& s_;
  int64_t width_;
  int64_t rowBytes_;
  uint8_t* bytes_;
};

void run(const IntegerConvArgs& args, const Task& task) {
  const IntegerConvShape& s = args.shape;
  const IntegerWeights& w = args.w->groups[static_cast<size_t>(task.group)];
  const int64_t k = w.matrix.k;
  const int64_t outW = s.outW();
  const int64_t plane = s.outH() * outW;
  const int64_t pixels = (task.rowEnd - task.rowBegin) * outW;
  const int64_t capacity = std::min(rowsPerChunk(w.matrix), roundUp(pixels, kRowBlock));
  const int32_t zeroPoint = args.xZeroPoint + (args.xSigned ? kSignShift : 0);
  const int64_t firstChannel = task.group * s.groupOutC();

  const Band band(args, task);
  RowChunk chunk(capacity, w.matrix.kBlocks);
  uint8_t* window = scratch<WindowMemory, uint8_t>(static_cast<size_t>(k));
  int32_t* excess = scratch<Excess, int32_t>(static_cast<size_t>(capacity));
  int32_t* accumulators = tileScratch(capacity);
  Requantize requantize = args.requantize;
  requantize.rowStep = 0;
  if (requantize.bias) requantize.bias += firstChannel;
  if (requantize.bScale) requantize.bScale += firstChannel;

  for (int64_t begin = 0; begin < pixels; begin += capacity) {
    const int64_t count = std::min(capacity, pixels - begin);
    chunk.layOut(count);
    for (int64_t i = 0; i < count; ++i) {
      band.copyWindow((begin + i) / outW, (begin + i) % outW, window);
      chunk.copyRow(i, window, k);
      chunk.setRow(i, {.zeroPoint = zeroPoint});
      if (!w.zeroPoint.empty()) excess[i] = rowExcess(window, k, zeroPoint);
    }
    const int64_t at = (task.image * s.outC + firstChannel) * plane + task.rowBegin * outW + begin;
    forTiles(w.matrix, {0, w.matrix.panels}, [&](const Slice& slice, int64_t first, int64_t channels) {
      const Tile tile{accumulators, channels, count, first, channels};
      multiplyTile(chunk, w, slice, true, excess, tile);
      if (args.acc) {
        storeColumns(tile, args.acc + at, plane);
      } else {
        requantizeTile(tile, requantize, 0);
        storeColumns(tile, args.codes + at, plane);
      }
    });
  }
}

}  // namespace

IntegerConvWeights packConvW(const uint8_t* w, bool isSigned, const IntegerConvShape& s, const int32_t* zeroPoint,
                             int64_t step) {
  IntegerConvWeights out;
  const int64_t c = s.groupC();
  const int64_t taps = s.kernelH * s.kernelW;
  if (c == 1 && s.groupOutC() < kPanel) {
    out.planes = packPlanes(w, isSigned, s, zeroPoint, step);
    return out;
  }
  const uint8_t flip = isSigned ? 0 : kSignBit;
  const int64_t n = s.groupOutC();
  out.groups.resize(static_cast<size_t>(s.groups));
  AlignedBuffer<int8_t> codes(static_cast<size_t>(n * taps * c));  // [oc][kh][kw][c]
  for (int64_t g = 0; g < s.groups; ++g) {
    for (int64_t oc = 0; oc < n; ++oc) {
      const uint8_t* from = w + (g * n + oc) * c * taps;  // [c][kh][kw]
      int8_t* to = codes.data() + oc * c * taps;
      for (int64_t i = 0; i < c; ++i) {
        for (int64_t tap = 0; tap < taps; ++tap) to[tap * c + i] = static_cast<int8_t>(from[i * taps + tap] ^ flip);
      }
    }
    packIntegerWeights(codes.data(), !isSigned, n, c * taps, zeroPoint ? zeroPoint + g * n * step : nullptr, step,
                       &out.groups[static_cast<size_t>(g)]);
  }
  return out;
}

Status integerConv(const IntegerConvArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  const IntegerConvShape& s = args.shape;
  const int32_t zeroPoint = args.xZeroPoint + (args.xSigned ? kSignShift : 0);
  if (bandBytes(s, 1) > static_cast<double>(kLargestBandBytes)) {
    return Status::invalid(args.operation, "strides, dilations and pads", "at most 2 GiB of input for one output row",
                           std::to_string(bandBytes(s, 1)) + " bytes");
  }
  if (args.w->isDepthwise()) return integerDepthwise(args);
  for (const IntegerWeights& w : args.w->groups) {
    if (Status status = checkReduction(args.operation, w, zeroPoint, zeroPoint); !status) return status;
  }
  const int64_t outH = s.outH();
  const int64_t outW = s.outW();
  const int64_t parts = s.n * s.groups;
  const PackedMatrix& matrix = args.w->groups.front().matrix;
  const int count = threadsFor(parts * outH * outW * matrix.n * matrix.k);
  // Bands of about a chunk of pixels; smaller ones where threads would go without work.
  int64_t rows = std::clamp<int64_t>(rowsPerChunk(matrix) / outW, 1, outH);
  while (rows > 1 && bandBytes(s, rows) > static_cast<double>(kBandBytes)) rows = rows / 2;
  if (parts * ceilDiv(outH, rows) < count) rows = ceilDiv(outH, ceilDiv(int64_t{count}, parts));
  const int64_t bands = ceilDiv(outH, rows);
  const int64_t tasks = parts * bands;
  parallel(count, [&](int t, int total) {
    for (int64_t i = tasks * t / total; i < tasks * (t + 1) / total; ++i) {
      const int64_t begin = i % bands * rows;
      run(args, {i / bands / s.groups, i / bands % s.groups, begin, std::min(begin + rows, outH)});
    }
  });
  return Status::ok();
}

}  // namespace faultline
