// Dynamic matrix products of any shape, granularity, bit width, epilogue and thread count against plain loops.
#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "fuzz/input.h"
#include "fuzz/reference.h"
#include "ops/matmul.h"

using namespace faultline;
using fuzz::require;

namespace {

struct Weights {
  std::vector<int8_t> codes;
  std::vector<float> scales;
  PackedMatrix packed;
};

Weights makeWeights(fuzz::Input& in, int64_t n, int64_t k) {
  Weights w;
  const int bits = static_cast<int>(in.integer(kMinBits, kMaxBits));
  const int64_t granularity = in.oneOf({0, -1, 16, 32, 64, 128});
  const int64_t blockSize = std::max<int64_t>(granularity, 0);
  const WeightStorage storage = bits <= 4 && in.flag() ? WeightStorage::int4 : WeightStorage::int8;
  const std::vector<float> values = in.finiteFloats(n * k, 0.1f);
  w.codes.resize(values.size());
  w.scales.resize(static_cast<size_t>((blockSize > 0 ? ceilDiv(k, blockSize) : 1) * n));
  quantizeWeights(values.data(), n, k, bits, granularity, w.codes.data(), w.scales.data());
  packMatrix(w.codes.data(), w.scales.data(), n, k, bits, storage, blockSize, kernels().kGroup, &w.packed);
  return w;
}

// The accumulators of output (row, n), one a scale group.
std::vector<int32_t> accumulate(const fuzz::Quantized& q, const Weights& w, int64_t n) {
  const int64_t k = w.packed.k;
  const int64_t span = w.packed.blockSize > 0 ? w.packed.blockSize : k;
  std::vector<int32_t> sums;
  for (int64_t begin = 0; begin < k; begin += span) {
    int32_t sum = 0;
    for (int64_t i = begin; i < std::min(k, begin + span); ++i) {
      sum += q.centred[static_cast<size_t>(i)] * w.codes[static_cast<size_t>(n * k + i)];
    }
    sums.push_back(sum);
  }
  return sums;
}

// Everything a call needs, drawn from the input; args points into the vectors.
struct Call {
  Call(fuzz::Input& in, const Weights& w, int64_t m) {
    const int64_t n = w.packed.n, k = w.packed.k;
    args.m = m;
    args.ldx = k + in.integer(0, 3);
    args.weights = &w.packed;
    args.perTensor = in.flag();
    args.bits = static_cast<int>(in.integer(kMinBits, kMaxBits));
    rowBits.assign(static_cast<size_t>(m), static_cast<uint8_t>(args.bits));
    if (!args.perTensor && in.flag()) {
      for (uint8_t& bits : rowBits) bits = static_cast<uint8_t>(in.integer(kMinBits, kMaxBits));
      args.rowBits = rowBits.data();
    }
    x = in.floats(m * args.ldx, in.oneOf({1.0f, 1e-30f, 1e30f, 1e-42f}));
    args.x = x.data();
    bias.assign(static_cast<size_t>(n), 0.0f);
    if (in.flag()) {
      bias = in.finiteFloats(n, 1.0f);
      args.epilogue.bias = bias.data();
    }
    if (in.flag()) {
      residual = in.finiteFloats(m * n, 1.0f);
      args.epilogue.residual = residual.data();
    }
    if (in.flag()) args.epilogue.clipMin = 0.0f;
    if (in.flag()) args.epilogue.clipMax = 6.0f;
    const size_t outputs = static_cast<size_t>(m * n);
    if (w.packed.blockSize == 0 && in.flag()) {
      acc.assign(outputs, -1);
      args.acc = acc.data();
    } else {
      out.assign(outputs, -1.0f);
      args.out = out.data();
    }
    rowScale.resize(static_cast<size_t>(m));
    rowZeroPoint.resize(static_cast<size_t>(m));
    args.rowScale = rowScale.data();
    args.rowZeroPoint = rowZeroPoint.data();
  }
  const float* row(int64_t r) const { return x.data() + r * args.ldx; }
  bool finite() const {
    bool all = true;
    for (int64_t r = 0; r < args.m; ++r) {
      for (int64_t i = 0; i < args.weights->k; ++i) all = all && std::isfinite(row(r)[i]);
    }
    return all;
  }

  MatmulDynamicArgs args;
  std::vector<uint8_t> rowBits;
  std::vector<float> x, bias, residual, out, rowScale;
  std::vector<int32_t> acc, rowZeroPoint;
};

void check(const Call& call, const Weights& w) {
  const MatmulDynamicArgs& args = call.args;
  const int64_t n = w.packed.n, k = w.packed.k;
  std::vector<float> expected(call.out.size());
  std::vector<int32_t> wantedAcc(call.acc.size());
  float tensorMin = 0.0f, tensorMax = 0.0f;
  for (int64_t r = 0; r < args.m; ++r) fuzz::extendRange(call.row(r), k, &tensorMin, &tensorMax);
  for (int64_t r = 0; r < args.m; ++r) {
    float min = args.perTensor ? tensorMin : 0.0f, max = args.perTensor ? tensorMax : 0.0f;
    fuzz::extendRange(call.row(r), k, &min, &max);
    const fuzz::Quantized q = fuzz::quantize(call.row(r), k, min, max, call.rowBits[static_cast<size_t>(r)]);
    require(call.rowScale[static_cast<size_t>(r)] == q.scale, "the scale of a row");
    require(call.rowZeroPoint[static_cast<size_t>(r)] == q.zeroPoint, "the zero point of a row");
    for (int64_t c = 0; c < n; ++c) {
      const size_t at = static_cast<size_t>(r * n + c);
      const std::vector<int32_t> sums = accumulate(q, w, c);
      if (args.acc) {
        wantedAcc[at] = sums[0];
        continue;
      }
      std::vector<float> scales;
      for (size_t g = 0; g < sums.size(); ++g)
        scales.push_back(w.scales[g * static_cast<size_t>(n) + static_cast<size_t>(c)]);
      expected[at] = fuzz::dequantize(sums, scales, q.scale, w.packed.blockSize > 0, call.bias[static_cast<size_t>(c)],
                                      args.epilogue.residual ? &call.residual[at] : nullptr, args.epilogue.clipMin,
                                      args.epilogue.clipMax);
    }
  }
  require(call.acc == wantedAcc, "the accumulators are exact");
  require(fuzz::sameBits(call.out, expected), "the outputs are bit for bit those of the contract");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const int64_t m = in.integer(1, 40);
  const int64_t n = in.integer(1, 70);
  const int64_t k = in.integer(1, 200);
  setThreads(static_cast<int>(in.integer(1, 5)));
  const Weights w = makeWeights(in, n, k);
  const Call call(in, w, m);
  const Status status = matmulDynamic(call.args);
  require(static_cast<bool>(status) == call.finite(), "NaN and infinity are refused, and nothing else");
  if (status) check(call, w);
  return 0;
}
