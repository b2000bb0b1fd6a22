// oneDNN as a peer, shown at its best: weights in the format it asks for, reordered ahead of time, and for dynamic
// quantization the composition that beats its run-time scales and zero points several times over: our vectorized
// scan and quantization, its u8s8s32 product, one pass of dequantization.
#include <cstring>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <unordered_map>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "implementations.h"
#include "onednn_compat.h"

namespace faultline::bench {
namespace {

using dnnl::memory;
using onednn::Desc;

// Widths of vectors this file's passes are compiled for; the loader picks one.
#if defined(__x86_64__)
#define FAULTLINE_BENCH_CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define FAULTLINE_BENCH_CLONES
#endif

FAULTLINE_BENCH_CLONES
void dequantizeRow(const int32_t* acc, const int32_t* sums, const float* scales, int32_t zeroPoint, float scale,
                   int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(acc[i] - zeroPoint * sums[i]) * (scale * scales[i]);
  }
}

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

// One integer product or convolution, with everything it needs to run.
struct Integer {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  dnnl::stream stream{engine()};
  AlignedBuffer<int8_t> plainWeights;
  memory weights;
  AlignedBuffer<int32_t> acc;
  std::string implementation;

  void run() {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

void bindWeights(Integer* op, const Desc& plain, const Desc& expected, void* data) {
  memory from(plain, engine(), data);
  op->weights = memory(expected, engine());
  dnnl::reorder(from, op->weights).execute(op->stream, from, op->weights);
  op->stream.wait();
}

std::shared_ptr<Integer> makeMatmul(const Problem& p, const uint8_t* a) {
  const Geometry& g = p.shape();
  auto op = std::make_shared<Integer>();
  const Desc src({g.n, g.c}, memory::data_type::u8, memory::format_tag::ab);
  const Desc dst({g.n, g.oc}, memory::data_type::s32, memory::format_tag::ab);
  // Ours is [N, K]; oneDNN's right operand is [K, N]: the same memory, read as "ba".
  const Desc plain({g.c, g.oc}, memory::data_type::s8, memory::format_tag::ba);
  const Desc any({g.c, g.oc}, memory::data_type::s8, memory::format_tag::any);
  const auto pd = onednn::matmul(engine(), src, any, dst);
  op->primitive = dnnl::matmul(pd);
  op->implementation = pd.impl_info_str();
  op->acc = AlignedBuffer<int32_t>(static_cast<size_t>(g.outputs()));
  bindWeights(op.get(), plain, pd.weights_desc(), const_cast<int8_t*>(p.w.data()));
  op->arguments = {{DNNL_ARG_SRC, memory(src, engine(), const_cast<uint8_t*>(a))},
                   {DNNL_ARG_WEIGHTS, op->weights},
                   {DNNL_ARG_DST, memory(dst, engine(), op->acc.data())}};
  return op;
}

// padded: the input already carries its border (zero points there), so the convolution itself pads nothing.
std::shared_ptr<Integer> makeConvolution(const Problem& p, const uint8_t* a, bool padded) {
  const Geometry& g = p.shape();
  auto op = std::make_shared<Integer>();
  const int64_t h = padded ? g.h + g.padTop + g.padBottom : g.h;
  const int64_t w = padded ? g.w + g.padLeft + g.padRight : g.w;
  const Desc src({g.n, g.c, h, w}, memory::data_type::u8, memory::format_tag::nhwc);
  const Desc dst({g.n, g.oc, g.oh(), g.ow()}, memory::data_type::s32, memory::format_tag::nhwc);
  const bool grouped = g.groups > 1;
  const memory::dims dims = grouped ? memory::dims{g.groups, g.outputsPerGroup(), g.channelsPerGroup(), g.kh, g.kw}
                                    : memory::dims{g.oc, g.c, g.kh, g.kw};
  // [OC, KH, KW, C / groups], which for groups is [G, OC / G, KH, KW, C / G].
  const Desc plain(dims, memory::data_type::s8, grouped ? memory::format_tag::gohwi : memory::format_tag::ohwi);
  const Desc any(dims, memory::data_type::s8, memory::format_tag::any);
  const memory::dims none{0, 0};
  const auto pd = onednn::convolution(
      engine(), src, any, dst, {g.strideH, g.strideW}, {g.dilationH - 1, g.dilationW - 1},
      padded ? none : memory::dims{g.padTop, g.padLeft}, padded ? none : memory::dims{g.padBottom, g.padRight});
  op->primitive = dnnl::convolution_forward(pd);
  op->implementation = pd.impl_info_str();
  op->acc = AlignedBuffer<int32_t>(static_cast<size_t>(g.outputs()));
  bindWeights(op.get(), plain, pd.weights_desc(), const_cast<int8_t*>(p.w.data()));
  op->arguments = {{DNNL_ARG_SRC, memory(src, engine(), const_cast<uint8_t*>(a))},
                   {DNNL_ARG_WEIGHTS, op->weights},
                   {DNNL_ARG_DST, memory(dst, engine(), op->acc.data())}};
  return op;
}

// The dynamic composition. A sample's border is filled with its zero point, which makes padding exact without
// run-time zero points; a matrix row is a sample without a border.
struct Dynamic {
  AlignedBuffer<uint8_t> codes;  // [N, H + pads, W + pads, C]
  std::vector<AffineParams> params;
  std::vector<int32_t> sums;  // Σ of each output channel's weights
  std::shared_ptr<Integer> integer;
  AlignedBuffer<float> out;
};

void quantizeSample(const Problem& p, Dynamic* d, int64_t n) {
  const Geometry& g = p.shape();
  const KernelTable& table = kernels();
  const float* x = p.x.data() + n * g.sampleSize();
  float lo = 0.0f, hi = 0.0f;
  table.scanRange(x, g.sampleSize(), &lo, &hi);
  const AffineParams params = d->params[static_cast<size_t>(n)] = chooseAsymmetric(lo, hi, 8);
  const int64_t row = g.w * g.c, paddedRow = (g.padLeft + g.w + g.padRight) * g.c;
  uint8_t* codes = d->codes.data() + n * (g.padTop + g.h + g.padBottom) * paddedRow;
  if (row == paddedRow && g.padTop + g.padBottom == 0) {
    table.quantizeRow(x, g.sampleSize(), params, codes, kBlockK);
    return;
  }
  std::memset(codes, params.zeroPoint, static_cast<size_t>(g.padTop * paddedRow));
  for (int64_t y = 0; y < g.h; ++y) {
    uint8_t* to = codes + (g.padTop + y) * paddedRow;
    std::memset(to, params.zeroPoint, static_cast<size_t>(g.padLeft * g.c));
    table.quantizeRow(x + y * row, row, params, to + g.padLeft * g.c, kBlockK);
    std::memset(to + g.padLeft * g.c + row, params.zeroPoint, static_cast<size_t>(g.padRight * g.c));
  }
  std::memset(codes + (g.padTop + g.h) * paddedRow, params.zeroPoint, static_cast<size_t>(g.padBottom * paddedRow));
}

void runDynamic(const Problem& p, Dynamic* d, int threads) {
  const Geometry& g = p.shape();
  parallel(threads, [&](int t, int total) {
    for (int64_t n = g.n * t / total; n < g.n * (t + 1) / total; ++n) quantizeSample(p, d, n);
  });
  d->integer->run();
  const int64_t rows = g.n * g.pixels();
  parallel(threads, [&](int t, int total) {
    for (int64_t r = rows * t / total; r < rows * (t + 1) / total; ++r) {
      const AffineParams& params = d->params[static_cast<size_t>(r / g.pixels())];
      dequantizeRow(d->integer->acc.data() + r * g.oc, d->sums.data(), p.wScales.data(), params.zeroPoint, params.scale,
                    g.oc, d->out.data() + r * g.oc);
    }
  });
}

std::shared_ptr<Dynamic> makeDynamic(const Problem& p) {
  const Geometry& g = p.shape();
  auto d = std::make_shared<Dynamic>();
  d->codes = AlignedBuffer<uint8_t>(
      static_cast<size_t>(g.n * (g.padTop + g.h + g.padBottom) * (g.padLeft + g.w + g.padRight) * g.c));
  d->params.resize(static_cast<size_t>(g.n));
  d->out = AlignedBuffer<float>(static_cast<size_t>(g.outputs()));
  for (int64_t oc = 0; oc < g.oc; ++oc) {
    int32_t sum = 0;
    for (int64_t i = 0; i < g.depth(); ++i) sum += p.w[static_cast<size_t>(oc * g.depth() + i)];
    d->sums.push_back(sum);
  }
  d->integer = isConv(p.job.op) ? makeConvolution(p, d->codes.data(), true) : makeMatmul(p, d->codes.data());
  return d;
}

}  // namespace

std::string onednnVersion() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

std::string onednnIsa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    default:
      return cpuHas(Isa::amxInt8) ? "amx" : "auto";
  }
}

void addOnednn(const Problem& p, int threads, std::vector<Candidate>* out, Notes* notes) {
  if (isInt4(p.job.op)) return;  // 2.6 has no 4-bit weights
  const Geometry& g = p.shape();
  Candidate candidate;
  candidate.impl = "onednn";
  candidate.isa = onednnIsa();
  candidate.threads = threads;
  omp_set_num_threads(threads);  // oneDNN plans for the threads it sees when a primitive is made
  try {
    if (isS32(p.job.op)) {
      auto op = isConv(p.job.op) ? makeConvolution(p, p.perSample.codes.data(), false)
                                 : makeMatmul(p, p.perSample.codes.data());
      candidate.variant = "u8s8 to s32, static";
      candidate.kernel = op->implementation;
      candidate.run = [op] { op->run(); };
      candidate.check = [&p, &g, op] { return checkAccumulators(p, op->acc.data(), nhwc(g)); };
    } else {
      auto d = makeDynamic(p);
      candidate.variant =
          std::string("scan + quantize per ") + (isConv(p.job.op) ? "sample" : "row") + " + u8s8 to s32 + dequantize";
      candidate.kernel = d->integer->implementation;
      candidate.run = [&p, d, threads] { runDynamic(p, d.get(), threads); };
      candidate.check = [&p, &g, d] { return checkFloats(p, p.perSample, d->out.data(), nhwc(g)); };
    }
    out->push_back(std::move(candidate));
  } catch (const dnnl::error& e) {
    notes->push_back(std::string("onednn: ") + e.what());
  }
}

}  // namespace faultline::bench
