// faultline's operations, called as from C++.
#include <functional>
#include <memory>

#include "core/cpu.h"
#include "dispatch/dispatch.h"
#include "implementations.h"
#include "ops/conv2d.h"
#include "ops/matmul.h"

namespace faultline::bench {
namespace {

// What every run needs; the candidate's closures share it.
struct State {
  PackedMatrix matrix;
  PackedConv conv;
  AlignedBuffer<int32_t> acc;
  AlignedBuffer<float> out;
  Status status = Status::ok();
};

WeightStorage storageOf(const Problem& p) { return p.weightBits == 4 ? WeightStorage::int4 : WeightStorage::int8; }

std::string variantOf(const Problem& p) {
  const std::string weights = p.weightBits == 4 ? "s4" : "s8";
  if (p.job.op == Op::matmulS32) return "u8s8 to s32";
  if (p.job.op == Op::convS32) return "fp32 to s32: quantization included, s8 weights";
  return "fp32 to fp32, " + weights + (isConv(p.job.op) ? ", range per sample" : ", range per row");
}

std::function<void()> matmulRun(const Problem& p, const std::shared_ptr<State>& state) {
  const Geometry& g = p.shape();
  packMatrix(p.w.data(), p.wScales.data(), g.oc, g.depth(), p.weightBits, storageOf(p), p.job.blockSize,
             kernels().kGroup, &state->matrix);
  if (isS32(p.job.op)) {
    return [&p, &g, state] {
      state->status = matmulU8(p.perSample.codes.data(), g.n, g.c, state->matrix, nullptr, state->acc.data());
    };
  }
  MatmulDynamicArgs args;
  args.x = p.x.data();
  args.m = g.n;
  args.ldx = g.c;
  args.weights = &state->matrix;
  args.out = state->out.data();
  return [args, state] { state->status = matmulDynamic(args); };
}

std::function<void()> convRun(const Problem& p, const std::shared_ptr<State>& state) {
  const Geometry& g = p.shape();
  const ConvWeightShape shape{g.oc, g.kh, g.kw, g.channelsPerGroup(), g.groups};
  packConv(p.w.data(), p.wScales.data(), shape, p.weightBits, storageOf(p), p.job.blockSize, kernels().isa,
           kernels().kGroup, &state->conv);
  Conv2dDynamicArgs args;
  args.x = p.x.data();
  args.n = g.n;
  args.h = g.h;
  args.w = g.w;
  args.c = g.c;
  args.window = {g.strideH, g.strideW, g.dilationH, g.dilationW, g.padTop, g.padLeft, g.padBottom, g.padRight};
  args.weights = &state->conv;
  if (isS32(p.job.op)) {
    args.acc = state->acc.data();
  } else {
    args.out = state->out.data();
  }
  return [args, state] { state->status = conv2dDynamic(args); };
}

}  // namespace

void addFaultline(const Problem& p, int threads, std::vector<Candidate>* out, Notes* notes) {
  if (!dispatchStatus()) {
    notes->push_back("faultline: " + dispatchStatus().message());
    return;
  }
  Candidate candidate;
  candidate.impl = "faultline";
  candidate.variant = variantOf(p);
  candidate.isa = std::string(isaName(kernels().isa));
  candidate.threads = threads;
  auto state = std::make_shared<State>();
  const size_t outputs = static_cast<size_t>(p.shape().outputs());
  if (isS32(p.job.op)) {
    state->acc = AlignedBuffer<int32_t>(outputs);
  } else {
    state->out = AlignedBuffer<float>(outputs);
  }
  candidate.run = isConv(p.job.op) ? convRun(p, state) : matmulRun(p, state);
  candidate.check = [&p, state] {
    if (!state->status) return state->status.message();
    return isS32(p.job.op) ? checkAccumulators(p, state->acc.data(), nhwc(p.shape()))
                           : checkFloats(p, p.perSample, state->out.data(), nhwc(p.shape()));
  };
  out->push_back(std::move(candidate));
}

}  // namespace faultline::bench
