// MatMulInteger, QLinearMatMul, ConvInteger and QLinearConv of any shape, sign, zero points and thread count against
// plain loops in 64 bits.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/parallel.h"
#include "fuzz/input.h"
#include "ops/onnx_integer.h"
#include "ops/onnx_integer_conv.h"

using namespace faultline;
using fuzz::require;

namespace {

// Bytes as the operand's own type says.
struct Codes {
  std::vector<uint8_t> bytes;
  bool isSigned = false;

  Codes(fuzz::Input& in, int64_t count) : isSigned(in.flag()) {
    const std::vector<int8_t> drawn = in.codes(count, -128, 127);
    bytes.assign(drawn.begin(), drawn.end());
    if (in.flag()) std::fill(bytes.begin(), bytes.end(), isSigned ? 0x80 : 0xff);  // the largest sums
  }
  int64_t at(int64_t i) const {
    const uint8_t byte = bytes[static_cast<size_t>(i)];
    return isSigned ? int64_t{static_cast<int8_t>(byte)} : int64_t{byte};
  }
};

// One zero point, one for each of `count`, or none.
struct ZeroPoints {
  std::vector<int32_t> values;
  int64_t step = 0;

  ZeroPoints(fuzz::Input& in, bool isSigned, int64_t count, bool each) {
    const int64_t kind = in.integer(0, each ? 2 : 1);
    if (kind == 0) return;
    step = kind == 2 ? 1 : 0;
    values.resize(static_cast<size_t>(kind == 2 ? count : 1));
    for (int32_t& v : values) v = static_cast<int32_t>(in.integer(0, 255)) - (isSigned ? 128 : 0);
  }
  const int32_t* data() const { return values.empty() ? nullptr : values.data(); }
  int32_t at(int64_t i) const { return values.empty() ? 0 : values[static_cast<size_t>(i * step)]; }
};

// The optional way from accumulators to codes.
struct Requantization {
  bool requested, isSigned;
  std::vector<int32_t> bias;
  std::vector<float> bScale;
  float aScale = 0.01f, yScale = 1.0f;
  int32_t yZeroPoint = 0;

  Requantization(fuzz::Input& in, int64_t channels) : requested(in.flag()), isSigned(in.flag()) {
    for (int64_t i = 0; i < channels; ++i) {
      bias.push_back(static_cast<int32_t>(in.integer(0, 2000)) - 1000);
      bScale.push_back(static_cast<float>(in.integer(1, 1000)) * 1e-4f);
    }
    yZeroPoint = static_cast<int32_t>(in.integer(0, 255)) - (isSigned ? 128 : 0);
  }
  Requantize call() const {
    return {.bias = bias.data(),
            .bScale = bScale.data(),
            .aScale = &aScale,
            .yScale = &yScale,
            .yZeroPoint = &yZeroPoint,
            .rowStep = 0,
            .isSigned = isSigned};
  }
  uint8_t code(int64_t acc, int64_t channel) const {
    const size_t c = static_cast<size_t>(channel);
    const float scale = aScale * bScale[c] / yScale;
    const float value = static_cast<float>(static_cast<int32_t>(acc + bias[c])) * scale;
    const double low = isSigned ? -128.0 : 0.0;
    const double rounded = std::nearbyint(value) + double{static_cast<float>(yZeroPoint)};
    return static_cast<uint8_t>(static_cast<int32_t>(std::min(std::max(rounded, low), low + 255.0)));
  }
};

// The accumulators or codes that an operation left, beside those that it must have left.
struct Results {
  std::vector<int32_t> acc, expectedAcc;
  std::vector<uint8_t> codes, expectedCodes;

  Results(int64_t count, bool asCodes) {
    const size_t n = static_cast<size_t>(count);
    acc.assign(asCodes ? 0 : n, -1);
    codes.assign(asCodes ? n : 0, 1);
  }
  void expect(int64_t sum, const Requantization& how, int64_t channel) {
    if (how.requested) {
      expectedCodes.push_back(how.code(sum, channel));
    } else {
      expectedAcc.push_back(static_cast<int32_t>(sum));
    }
  }
  void check() const {
    require(acc == expectedAcc, "the accumulators are exact");
    require(codes == expectedCodes, "the codes are exact");
  }
};

void matmul(fuzz::Input& in) {
  const int64_t m = in.integer(1, 40), n = in.integer(1, 70), k = in.integer(1, 300);
  const Codes a(in, m * k), b(in, k * n);
  const ZeroPoints za(in, a.isSigned, m, true), zb(in, b.isSigned, n, true);
  const Requantization how(in, n);
  IntegerWeights packed;
  packMatmulB(b.bytes.data(), b.isSigned, k, n, zb.data(), zb.step, &packed);
  Results results(m * n, how.requested);
  IntegerMatmulArgs args{.a = a.bytes.data(),
                         .aSigned = a.isSigned,
                         .m = m,
                         .aZeroPoint = za.data(),
                         .aZeroPointStep = za.step,
                         .b = &packed};
  if (how.requested) {
    args.requantize = how.call();
    args.codes = results.codes.data();
  } else {
    args.acc = results.acc.data();
  }
  require(static_cast<bool>(integerMatmul(args)), "sums of so few products fit");
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t c = 0; c < n; ++c) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i) sum += (a.at(r * k + i) - za.at(r)) * (b.at(i * n + c) - zb.at(c));
      results.expect(sum, how, c);
    }
  }
  results.check();
}

int64_t convolve(const IntegerConvShape& s, const Codes& x, int32_t zx, const Codes& w, int32_t zw, int64_t image,
                 int64_t oc, int64_t oy, int64_t ox) {
  int64_t sum = 0;
  for (int64_t i = 0; i < s.groupC(); ++i) {
    const int64_t channel = oc / s.groupOutC() * s.groupC() + i;
    for (int64_t ky = 0; ky < s.kernelH; ++ky) {
      for (int64_t kx = 0; kx < s.kernelW; ++kx) {
        const int64_t iy = oy * s.window.strideH + ky * s.window.dilationH - s.window.padTop;
        const int64_t ix = ox * s.window.strideW + kx * s.window.dilationW - s.window.padLeft;
        if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
        sum += (x.at(((image * s.c + channel) * s.h + iy) * s.w + ix) - zx) *
               (w.at(((oc * s.groupC() + i) * s.kernelH + ky) * s.kernelW + kx) - zw);
      }
    }
  }
  return sum;
}

void conv(fuzz::Input& in) {
  const int64_t groups = in.oneOf({1, 1, 2, 3, 8, 33});
  const bool depthwise = in.flag();
  IntegerConvShape s{.n = in.integer(1, 3),
                     .c = groups * (depthwise ? 1 : in.integer(1, 12)),
                     .h = in.integer(1, 12),
                     .w = in.integer(1, 12),
                     .outC = groups * (depthwise ? in.integer(1, 2) : in.integer(1, 24)),
                     .kernelH = in.integer(1, 5),
                     .kernelW = in.integer(1, 5),
                     .groups = groups,
                     .window = {.strideH = in.integer(1, 3),
                                .strideW = in.integer(1, 3),
                                .dilationH = in.integer(1, 3),
                                .dilationW = in.integer(1, 3),
                                .padTop = in.integer(0, 4),
                                .padLeft = in.integer(0, 4),
                                .padBottom = in.integer(0, 4),
                                .padRight = in.integer(0, 4)}};
  if (s.outH() < 1 || s.outW() < 1) return;
  const Codes x(in, s.n * s.c * s.h * s.w), w(in, s.outC * s.groupC() * s.kernelH * s.kernelW);
  const ZeroPoints zx(in, x.isSigned, 1, false), zw(in, w.isSigned, s.outC, true);
  const Requantization how(in, s.outC);
  const IntegerConvWeights packed = packConvW(w.bytes.data(), w.isSigned, s, zw.data(), zw.step);
  Results results(s.n * s.outC * s.outH() * s.outW(), how.requested);
  IntegerConvArgs args{.shape = s, .x = x.bytes.data(), .xSigned = x.isSigned, .xZeroPoint = zx.at(0), .w = &packed};
  if (how.requested) {
    args.requantize = how.call();
    args.codes = results.codes.data();
  } else {
    args.acc = results.acc.data();
  }
  require(static_cast<bool>(integerConv(args)), "sums of so few products fit");
  for (int64_t image = 0; image < s.n; ++image) {
    for (int64_t oc = 0; oc < s.outC; ++oc) {
      for (int64_t oy = 0; oy < s.outH(); ++oy) {
        for (int64_t ox = 0; ox < s.outW(); ++ox) {
          results.expect(convolve(s, x, zx.at(0), w, zw.at(oc), image, oc, oy, ox), how, oc);
        }
      }
    }
  }
  results.check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  setThreads(static_cast<int>(in.integer(1, 5)));
  if (in.flag()) {
    matmul(in);
  } else {
    conv(in);
  }
  return 0;
}
