// ONNX convolutions with one input channel a group. A matrix product would use one of the 16 channels of a panel, so
// planes stay planes here: rows of x − zx and taps w − zw as int16, exact products in int32, one vector of neighbouring
// pixels at a time.
#include <algorithm>
#include <limits>

#include "core/parallel.h"
#include "ops/onnx_integer_conv.h"

namespace faultline {
namespace {

struct BandMemory;
struct RowMemory;

// |x − zx| and |w − zw| are at most 255.
constexpr int64_t kLargestWindow = std::numeric_limits<int32_t>::max() / (UINT8_MAX * UINT8_MAX);
// Bands stay in the second-level cache, unless a single output row needs more.
constexpr int64_t kRowsPerBand = 16;
constexpr double kBandBytes = 256 * 1024;

int64_t bandRows(const IntegerConvShape& s, int64_t outRows) {
  return (outRows - 1) * s.window.strideH + (s.kernelH - 1) * s.window.dilationH + 1;
}
int64_t bandWidth(const IntegerConvShape& s) {
  return (s.outW() - 1) * s.window.strideW + (s.kernelW - 1) * s.window.dilationW + 1;
}

// Input rows [top, top + rows) and the columns that windows reach, centred, padding 0: [rows][width].
void fillBand(const IntegerConvArgs& args, int64_t plane, int64_t top, int64_t rows, int64_t width, int16_t* out) {
  const IntegerConvShape& s = args.shape;
  const int64_t left = std::min(s.window.padLeft, width);
  const int64_t right = std::clamp(s.w + s.window.padLeft, left, width);
  for (int64_t r = 0; r < rows; ++r, out += width) {
    const int64_t y = top + r;
    if (y < 0 || y >= s.h) {
      std::fill_n(out, width, int16_t{0});
      continue;
    }
    std::fill_n(out, left, int16_t{0});
    std::fill(out + right, out + width, int16_t{0});
    const uint8_t* x = args.x + (plane * s.h + y) * s.w;
    const int64_t count = right - left;
    if (args.xSigned) {
      for (int64_t j = 0; j < count; ++j) {
        out[left + j] = static_cast<int16_t>(static_cast<int8_t>(x[j]) - args.xZeroPoint);
      }
    } else {
      for (int64_t j = 0; j < count; ++j) out[left + j] = static_cast<int16_t>(x[j] - args.xZeroPoint);
    }
  }
}

// acc[i] += from[i · stride] · w.
void accumulate(const int16_t* from, int64_t stride, int16_t w, int64_t count, int32_t* acc) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) acc[i] += int32_t{from[i]} * w;
  } else if (stride == 2) {
    for (int64_t i = 0; i < count; ++i) acc[i] += int32_t{from[2 * i]} * w;
  } else {
    for (int64_t i = 0; i < count; ++i) acc[i] += int32_t{from[i * stride]} * w;
  }
}

// Output rows [begin, end) of every channel that reads one input plane.
void runPlane(const IntegerConvArgs& args, int64_t image, int64_t group, int64_t begin, int64_t end) {
  const IntegerConvShape& s = args.shape;
  const Conv2dWindow& v = s.window;
  const int64_t outW = s.outW();
  const int64_t outH = s.outH();
  const int64_t width = bandWidth(s);
  const int64_t rows = bandRows(s, end - begin);
  int16_t* band = scratch<BandMemory, int16_t>(static_cast<size_t>(rows * width));
  int32_t* row = scratch<RowMemory, int32_t>(static_cast<size_t>(outW));
  fillBand(args, image * s.c + group, begin * v.strideH - v.padTop, rows, width, band);

  for (int64_t oc = group * s.groupOutC(); oc < (group + 1) * s.groupOutC(); ++oc) {
    const int16_t* taps = args.w->depthwise.data() + oc * s.kernelH * s.kernelW;
    for (int64_t y = begin; y < end; ++y) {
      const int64_t at = ((image * s.outC + oc) * outH + y) * outW;
      int32_t* acc = args.acc ? args.acc + at : row;
      std::fill_n(acc, outW, 0);
      for (int64_t kh = 0; kh < s.kernelH; ++kh) {
        const int16_t* from = band + ((y - begin) * v.strideH + kh * v.dilationH) * width;
        for (int64_t kw = 0; kw < s.kernelW; ++kw) {
          accumulate(from + kw * v.dilationW, v.strideW, taps[kh * s.kernelW + kw], outW, acc);
        }
      }
      if (!args.acc) requantizePlane(row, outW, args.requantize, oc, args.codes + at);
    }
  }
}

}  // namespace

Status integerDepthwise(const IntegerConvArgs& args) {
  const IntegerConvShape& s = args.shape;
  if (s.kernelH * s.kernelW > kLargestWindow) {
    return Status::invalid(args.operation, "K", "at most " + std::to_string(kLargestWindow) + " (int32 accumulators)",
                           std::to_string(s.kernelH * s.kernelW));
  }
  const int64_t outH = s.outH();
  const double rowBytes = static_cast<double>(bandWidth(s)) * sizeof(int16_t);
  int64_t rows = kRowsPerBand;
  while (rows > 1 && static_cast<double>(bandRows(s, rows)) * rowBytes > kBandBytes) rows /= 2;
  const int64_t bands = ceilDiv(outH, rows);
  const int64_t tasks = s.n * s.groups * bands;
  const int count = threadsFor(s.n * s.outC * outH * s.outW() * s.kernelH * s.kernelW);
  parallel(count, [&](int t, int total) {
    for (int64_t i = tasks * t / total; i < tasks * (t + 1) / total; ++i) {
      const int64_t begin = i % bands * rows;
      runPlane(args, i / bands / s.groups, i / bands % s.groups, begin, std::min(begin + rows, outH));
    }
  });
  return Status::ok();
}

}  // namespace faultline
