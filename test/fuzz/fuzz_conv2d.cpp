// Dynamic convolutions of any shape, window, grouping, granularity, bit width and thread count against plain loops.
#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "fuzz/input.h"
#include "fuzz/reference.h"
#include "ops/conv2d.h"

using namespace faultline;
using fuzz::require;

namespace {

struct Weights {
  ConvWeightShape shape;
  int64_t blockSize = 0;
  std::vector<int8_t> codes;  // [OC, KH, KW, C / groups]
  std::vector<float> scales;  // [scale groups, OC]
  PackedConv packed;
};

Weights makeWeights(fuzz::Input& in) {
  Weights w;
  const int64_t groups = in.oneOf({1, 1, 2, 3, 8, 33});
  const bool depthwise = in.flag();
  w.shape = {.outChannels = groups * (depthwise ? 1 : in.integer(1, 24)),
             .kernelH = in.integer(1, 5),
             .kernelW = in.integer(1, 5),
             .groupChannels = depthwise ? 1 : in.integer(1, 20),
             .groups = groups};
  const int64_t k = w.shape.k(), channels = w.shape.outChannels;
  const int bits = static_cast<int>(in.integer(kMinBits, kMaxBits));
  const int64_t granularity = in.oneOf({0, -1, 16, 32, 64});
  w.blockSize = std::max<int64_t>(granularity, 0);
  const WeightStorage storage = bits <= 4 && in.flag() ? WeightStorage::int4 : WeightStorage::int8;
  const std::vector<float> values = in.finiteFloats(channels * k, 0.1f);
  w.codes.resize(values.size());
  w.scales.resize(static_cast<size_t>((w.blockSize > 0 ? ceilDiv(k, w.blockSize) : 1) * channels));
  quantizeWeights(values.data(), channels, k, bits, granularity, w.codes.data(), w.scales.data());
  packConv(w.codes.data(), w.scales.data(), w.shape, bits, storage, w.blockSize, kernels().isa, kernels().kGroup,
           &w.packed);
  return w;
}

// Everything a call needs, drawn from the input; args points into the vectors.
struct Call {
  Call(fuzz::Input& in, const Weights& w) {
    args.weights = &w.packed;
    args.n = in.integer(1, 3);
    args.h = in.integer(1, 12);
    args.w = in.integer(1, 12);
    args.c = w.shape.inChannels();
    args.window = {.strideH = in.integer(1, 3),
                   .strideW = in.integer(1, 3),
                   .dilationH = in.integer(1, 3),
                   .dilationW = in.integer(1, 3),
                   .padTop = in.integer(0, 4),
                   .padLeft = in.integer(0, 4),
                   .padBottom = in.integer(0, 4),
                   .padRight = in.integer(0, 4)};
    const Conv2dWindow& window = args.window;
    oh = windowOutputs(args.h, w.shape.kernelH, window.strideH, window.dilationH, window.padTop, window.padBottom);
    ow = windowOutputs(args.w, w.shape.kernelW, window.strideW, window.dilationW, window.padLeft, window.padRight);
    args.perTensor = in.flag();
    args.bits = static_cast<int>(in.integer(kMinBits, kMaxBits));
    sampleBits.assign(static_cast<size_t>(args.n), static_cast<uint8_t>(args.bits));
    if (!args.perTensor && in.flag()) {
      for (uint8_t& bits : sampleBits) bits = static_cast<uint8_t>(in.integer(kMinBits, kMaxBits));
      args.sampleBits = sampleBits.data();
    }
    x = in.floats(args.n * sampleSize(), in.oneOf({1.0f, 1e-30f, 1e30f}));
    args.x = x.data();
    const int64_t outputs = fits() ? args.n * oh * ow * w.shape.outChannels : 0;
    bias.assign(static_cast<size_t>(w.shape.outChannels), 0.0f);
    if (in.flag()) {
      bias = in.finiteFloats(w.shape.outChannels, 1.0f);
      args.epilogue.bias = bias.data();
    }
    if (in.flag()) {
      residual = in.finiteFloats(outputs, 1.0f);
      args.epilogue.residual = residual.data();
    }
    if (in.flag()) args.epilogue.clipMin = 0.0f;
    if (in.flag()) args.epilogue.clipMax = 6.0f;
    wantsAcc = w.blockSize == 0 && in.flag();
    if (wantsAcc) {
      acc.assign(static_cast<size_t>(outputs), -1);
      args.acc = acc.data();
    } else {
      out.assign(static_cast<size_t>(outputs), -1.0f);
      args.out = out.data();
    }
  }
  int64_t sampleSize() const { return args.h * args.w * args.c; }
  bool fits() const { return oh >= 1 && ow >= 1; }
  bool finite() const {
    return std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); });
  }

  Conv2dDynamicArgs args;
  int64_t oh = 0, ow = 0;
  bool wantsAcc = false;
  std::vector<uint8_t> sampleBits;
  std::vector<float> x, bias, residual, out;
  std::vector<int32_t> acc;
};

// The accumulators of one output element, one a scale group.
std::vector<int32_t> accumulate(const fuzz::Quantized& q, const Weights& w, const Conv2dDynamicArgs& args, int64_t oy,
                                int64_t ox, int64_t oc) {
  const ConvWeightShape& s = w.shape;
  const int64_t k = s.k();
  const int64_t firstChannel = oc / s.groupOutChannels() * s.groupChannels;
  std::vector<int32_t> sums(static_cast<size_t>(w.blockSize > 0 ? ceilDiv(k, w.blockSize) : 1), 0);
  for (int64_t i = 0; i < k; ++i) {
    const int64_t channel = i % s.groupChannels;
    const int64_t kx = i / s.groupChannels % s.kernelW;
    const int64_t ky = i / s.groupChannels / s.kernelW;
    const int64_t y = oy * args.window.strideH + ky * args.window.dilationH - args.window.padTop;
    const int64_t x = ox * args.window.strideW + kx * args.window.dilationW - args.window.padLeft;
    if (y < 0 || y >= args.h || x < 0 || x >= args.w) continue;
    sums[static_cast<size_t>(w.blockSize > 0 ? i / w.blockSize : 0)] +=
        q.centred[static_cast<size_t>((y * args.w + x) * args.c + firstChannel + channel)] *
        w.codes[static_cast<size_t>(oc * k + i)];
  }
  return sums;
}

void check(const Call& call, const Weights& w) {
  const Conv2dDynamicArgs& args = call.args;
  const int64_t channels = w.shape.outChannels;
  std::vector<float> expected;
  std::vector<int32_t> wantedAcc;
  float tensorMin = 0.0f, tensorMax = 0.0f;
  fuzz::extendRange(call.x.data(), args.n * call.sampleSize(), &tensorMin, &tensorMax);
  for (int64_t sample = 0; sample < args.n; ++sample) {
    const float* x = call.x.data() + sample * call.sampleSize();
    float min = args.perTensor ? tensorMin : 0.0f, max = args.perTensor ? tensorMax : 0.0f;
    fuzz::extendRange(x, call.sampleSize(), &min, &max);
    const int bits = call.sampleBits[static_cast<size_t>(sample)];
    const fuzz::Quantized q = fuzz::quantize(x, call.sampleSize(), min, max, bits);
    for (int64_t i = 0; i < call.oh * call.ow * channels; ++i) {
      const int64_t oc = i % channels;
      const std::vector<int32_t> sums = accumulate(q, w, args, i / channels / call.ow, i / channels % call.ow, oc);
      if (call.wantsAcc) {
        wantedAcc.push_back(sums[0]);
        continue;
      }
      std::vector<float> scales;
      for (size_t g = 0; g < sums.size(); ++g)
        scales.push_back(w.scales[g * static_cast<size_t>(channels) + static_cast<size_t>(oc)]);
      expected.push_back(fuzz::dequantize(sums, scales, q.scale, w.blockSize > 0, call.bias[static_cast<size_t>(oc)],
                                          args.epilogue.residual ? &call.residual[expected.size()] : nullptr,
                                          args.epilogue.clipMin, args.epilogue.clipMax));
    }
  }
  require(call.acc == wantedAcc, "the accumulators are exact");
  require(fuzz::sameBits(call.out, expected), "the outputs are bit for bit those of the contract");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  setThreads(static_cast<int>(in.integer(1, 5)));
  const Weights w = makeWeights(in);
  const Call call(in, w);
  const Status status = conv2dDynamic(call.args);
  require(static_cast<bool>(status) == (call.fits() && call.finite()),
          "a window that does not fit, NaN and infinity are refused, and nothing else");
  if (status) check(call, w);
  return 0;
}
