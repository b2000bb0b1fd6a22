// ONNX convolutions with one input channel a group. A matrix product would use one of the 16 channels of a panel, so
// planes stay planes here, and a lane is a pixel.
//
// The part of a plane that a band of output rows reads is copied with its padding, rows and columns sorted by their
// remainder of the strides: [column % strideW][row % strideH][row / strideH][column / strideW]. Each row of the window
// then is one run of bytes for the whole band, and so is each column once four rows are interleaved, whatever the
// strides: the kernel sees one long row of pixels, with a few unused ones between the ends of the output rows.
#include <algorithm>
#include <cstring>
#include <limits>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/onnx_integer_conv.h"

namespace faultline {
namespace {

struct BandMemory;
struct TapMemory;
struct LaneMemory;

// |x − zx| and |w − zw| are at most 255.
constexpr int64_t kLargestWindow = std::numeric_limits<int32_t>::max() / (UINT8_MAX * UINT8_MAX);
// A band and its taps stay in the first-level cache, unless a single output row needs more.
constexpr int64_t kTapBytes = 16 * 1024;

int32_t wrap(int64_t value) { return static_cast<int32_t>(static_cast<uint32_t>(value)); }

// out[j] = in[j · stride] ^ flip.
void copyEvery(const uint8_t* in, int64_t stride, uint8_t flip, int64_t count, uint8_t* out) {
  if (stride == 1) {
    for (int64_t j = 0; j < count; ++j) out[j] = in[j] ^ flip;
  } else if (stride == 2) {
    for (int64_t j = 0; j < count; ++j) out[j] = in[2 * j] ^ flip;
  } else {
    for (int64_t j = 0; j < count; ++j) out[j] = in[j * stride] ^ flip;
  }
}

// Whether some tap of a window of `size` taps, `dilation` apart, is at this remainder of the stride.
bool reached(int64_t remainder, int64_t stride, int64_t size, int64_t dilation) {
  for (int64_t k = 0; k < std::min(size, stride); ++k) {  // then the remainders repeat
    if (k * dilation % stride == remainder) return true;
  }
  return false;
}

// Where a band of `outRows` output rows has its bytes.
struct BandLayout {
  BandLayout(const IntegerConvShape& s, int64_t outRows)
      : strideH(outRows > 1 ? s.window.strideH : 1), strideW(s.outW() > 1 ? s.window.strideW : 1) {
    rows = (outRows - 1) * strideH + (s.kernelH - 1) * s.window.dilationH + 1;
    columns = ceilDiv((s.outW() - 1) * strideW + (s.kernelW - 1) * s.window.dilationW + 1, strideW);
    lines = ceilDiv(rows, strideH);
    lanes = outRows * columns;
  }
  int64_t bytes() const { return strideW * strideH * lines * columns; }
  // Of a row and the columns with remainder `phase`.
  int64_t at(int64_t phase, int64_t row) const {
    return ((phase * strideH + row % strideH) * lines + row / strideH) * columns;
  }

  int64_t strideH, strideW;  // 1 where there is nothing to stride to
  int64_t rows;              // of the plane
  int64_t columns;           // from one output row to the next
  int64_t lines;             // rows with the same remainder
  int64_t lanes;
};

// Bands of a plane, all with the same number of output rows: what only depends on the shape is worked out once.
class PlaneBands {
 public:
  PlaneBands(const IntegerConvArgs& args, int64_t outRows)
      : args_(args), s_(args.shape), w_(args.w->planes), layout_(s_, outRows), outRows_(outRows) {
    const Conv2dWindow& v = s_.window;
    tapBytes_ = (layout_.lanes + kLaneSlack) * kTapRows;
    for (int64_t phase = 0; phase < layout_.strideW; ++phase) {
      if (!reached(phase, layout_.strideW, s_.kernelW, v.dilationW)) continue;
      // Column j is column j · strideW + phase − padLeft of the plane.
      const int64_t first = v.padLeft > phase ? ceilDiv(v.padLeft - phase, layout_.strideW) : 0;
      const int64_t past = s_.w + v.padLeft > phase ? ceilDiv(s_.w + v.padLeft - phase, layout_.strideW) : 0;
      const int64_t begin = std::min(first, layout_.columns);
      phases_.push_back({phase, begin, std::clamp(past, begin, layout_.columns)});
    }
    for (int64_t remainder = 0; remainder < layout_.strideH; ++remainder) {
      if (reached(remainder, layout_.strideH, s_.kernelH, v.dilationH)) remainders_.push_back(remainder);
    }
    for (int64_t g = 0; g < w_.rowGroups; ++g) {
      for (int64_t kw = 0; kw < s_.kernelW; ++kw) {
        const int64_t column = kw * v.dilationW;
        offsets_.push_back((g * layout_.strideW + column % layout_.strideW) * tapBytes_ +
                           column / layout_.strideW * kTapRows);
      }
      for (int64_t r = 0; r < kTapRows; ++r) {
        // Rows past the window have weight 0; any row that exists will do.
        windowRows_.push_back(layout_.at(0, std::min(g * kTapRows + r, s_.kernelH - 1) * v.dilationH));
      }
    }
  }

  // Output rows [begin, begin + outRows) of every channel that reads one input plane.
  void run(int64_t image, int64_t group, int64_t begin) const {
    uint8_t* band = scratch<BandMemory, uint8_t>(static_cast<size_t>(layout_.bytes() + kLaneSlack));
    fill(image * s_.c + group, begin * s_.window.strideH - s_.window.padTop, band);
    PlaneCall call;
    call.taps = interleave(band);
    call.offsets = offsets_.data();
    call.columns = w_.rowGroups * s_.kernelW;
    call.lanes = layout_.lanes;
    int32_t* lanes = scratch<LaneMemory, int32_t>(static_cast<size_t>(layout_.lanes + kLaneSlack));
    uint8_t* codes = reinterpret_cast<uint8_t*>(lanes);
    const int64_t outW = s_.outW();
    const int64_t zeroPoint = args_.xZeroPoint + (args_.xSigned ? kSignShift : 0);
    for (int64_t oc = group * s_.groupOutC(); oc < (group + 1) * s_.groupOutC(); ++oc) {
      const size_t channel = static_cast<size_t>(oc);
      call.weights = w_.columns.data() + oc * call.columns * kTapRows;
      call.weightZero = w_.zeroPoints[channel];
      call.ones = call.weightZero != 0 ? w_.ones.data() : nullptr;
      // Σ (x − zx)(w − zw) = Σ x · w − zw · Σ x − zx · (Σ w − K · zw)
      call.init = wrap(-zeroPoint * (w_.sums[channel] - s_.kernelH * s_.kernelW * int64_t{call.weightZero}));
      if (args_.acc) {
        call.acc = lanes;
      } else {
        call.codes = codes;
        requantizePlane(args_.requantize, oc, &call);
      }
      kernels().depthwise->multiplyPlane(call);
      const int64_t at = ((image * s_.outC + oc) * s_.outH() + begin) * outW;
      for (int64_t y = 0; y < outRows_; ++y) {
        if (args_.acc) {
          std::copy_n(lanes + y * layout_.columns, outW, args_.acc + at + y * outW);
        } else {
          std::memcpy(args_.codes + at + y * outW, codes + y * layout_.columns, static_cast<size_t>(outW));
        }
      }
    }
  }

 private:
  // Columns with one remainder; [begin, end) of them lie in the plane.
  struct Phase {
    int64_t index, begin, end;
  };

  // Input rows from `top` on, as unsigned codes, padding being the zero point.
  void fill(int64_t plane, int64_t top, uint8_t* band) const {
    const uint8_t flip = args_.xSigned ? kSignBit : 0;
    const int padding = args_.xZeroPoint + (args_.xSigned ? kSignShift : 0);
    std::memset(band, padding, static_cast<size_t>(layout_.bytes()));
    const uint8_t* x = args_.x + plane * s_.h * s_.w;
    for (const Phase& phase : phases_) {
      const int64_t column = phase.begin * layout_.strideW + phase.index - s_.window.padLeft;
      for (const int64_t remainder : remainders_) {
        uint8_t* to = band + layout_.at(phase.index, remainder) + phase.begin;
        int64_t y = top + remainder;
        for (int64_t line = 0; line < layout_.lines; ++line, y += layout_.strideH, to += layout_.columns) {
          if (y >= 0 && y < s_.h) {
            copyEvery(x + y * s_.w + column, layout_.strideW, flip, phase.end - phase.begin, to);
          }
        }
      }
    }
  }

  const uint8_t* interleave(const uint8_t* band) const {
    const int64_t reach = offsets_.back() % tapBytes_;  // of a window's last column past its first, at most
    const int64_t buffers = w_.rowGroups * layout_.strideW;
    uint8_t* taps = scratch<TapMemory, uint8_t>(static_cast<size_t>(buffers * tapBytes_ + reach));
    for (int64_t g = 0; g < w_.rowGroups; ++g) {
      for (const Phase& phase : phases_) {
        const uint8_t* rows[kTapRows];
        for (int64_t r = 0; r < kTapRows; ++r) {
          rows[r] = band + layout_.at(phase.index, 0) + windowRows_[static_cast<size_t>(g * kTapRows + r)];
        }
        uint8_t* out = taps + (g * layout_.strideW + phase.index) * tapBytes_;
        kernels().depthwise->interleaveRows(rows, layout_.lanes, out);
      }
    }
    return taps;
  }

  const IntegerConvArgs& args_;
  const IntegerConvShape& s_;
  const PlaneWeights& w_;
  BandLayout layout_;
  int64_t outRows_;
  int64_t tapBytes_;                 // of a row group of one phase
  std::vector<Phase> phases_;        // those that windows reach …
  std::vector<int64_t> remainders_;  // … and the remainders of rows
  std::vector<int64_t> offsets_;     // PlaneCall::offsets
  std::vector<int64_t> windowRows_;  // [rowGroups, 4] bytes from a phase's first row to the window's
};

}  // namespace

PlaneWeights packPlanes(const uint8_t* w, bool isSigned, const IntegerConvShape& s, const int32_t* zeroPoint,
                        int64_t step) {
  PlaneWeights out;
  const uint8_t flip = isSigned ? 0 : kSignBit;
  const int64_t taps = s.kernelH * s.kernelW;
  out.rowGroups = ceilDiv(s.kernelH, kTapRows);
  const int64_t bytes = out.rowGroups * s.kernelW * kTapRows;  // of a channel
  out.columns.resize(static_cast<size_t>(s.outC * bytes));
  out.ones.resize(static_cast<size_t>(bytes));
  out.sums.resize(static_cast<size_t>(s.outC));
  out.zeroPoints.resize(static_cast<size_t>(s.outC));
  for (int64_t oc = 0; oc < s.outC; ++oc) {
    const size_t channel = static_cast<size_t>(oc);
    out.zeroPoints[channel] = (zeroPoint ? zeroPoint[oc * step] : 0) - (isSigned ? 0 : kSignShift);
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t kh = tap / s.kernelW;
      const int64_t at = ((kh / kTapRows) * s.kernelW + tap % s.kernelW) * kTapRows + kh % kTapRows;
      const auto code = static_cast<int8_t>(w[oc * taps + tap] ^ flip);
      out.columns[static_cast<size_t>(oc * bytes + at)] = code;
      out.ones[static_cast<size_t>(at)] = 1;
      out.sums[channel] += code;
    }
  }
  return out;
}

Status integerDepthwise(const IntegerConvArgs& args) {
  const IntegerConvShape& s = args.shape;
  if (s.kernelH * s.kernelW > kLargestWindow) {
    return Status::invalid(args.operation, "K", "at most " + std::to_string(kLargestWindow) + " (int32 accumulators)",
                           std::to_string(s.kernelH * s.kernelW));
  }
  const int64_t outH = s.outH();
  int64_t rows = outH;
  const auto tapBytes = [&] {
    const BandLayout band(s, rows);
    return std::max(band.lanes * band.strideW * kTapRows * args.w->planes.rowGroups, band.bytes());
  };
  while (rows > 1 && tapBytes() > kTapBytes) rows = ceilDiv(rows, int64_t{2});
  const int64_t bands = ceilDiv(outH, rows);
  const int64_t tasks = s.n * s.groups * bands;
  const int count = threadsFor(s.n * s.outC * outH * s.outW() * s.kernelH * s.kernelW);
  const PlaneBands whole(args, rows);
  const PlaneBands last(args, outH - (bands - 1) * rows);
  parallel(count, [&](int t, int total) {
    for (int64_t i = tasks * t / total; i < tasks * (t + 1) / total; ++i) {
      const int64_t band = i % bands;
      (band + 1 < bands ? whole : last).run(i / bands / s.groups, i / bands % s.groups, band * rows);
    }
  });
  return Status::ok();
}

}  // namespace faultline
