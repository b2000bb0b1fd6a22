// faultline's own operations, called as a C++ caller calls them.
#include <cmath>
#include <cstdio>
#include <memory>

#include "core/cpu.h"
#include "dispatch/dispatch.h"
#include "implementations.h"
#include "ops/matmul.h"

namespace faultline::bench {
namespace {

// What every run needs; the candidate's closures share it.
struct MatmulState {
  PackedMatrix weights;
  AlignedBuffer<int32_t> acc;
  AlignedBuffer<float> out;
  Status status = Status::ok();
};

std::string variantOf(const Problem& p) {
  const std::string weights = p.weightBits == 4 ? "s4" : "s8";
  const std::string block = p.job.blockSize > 0 ? "/b" + std::to_string(p.job.blockSize) : "";
  if (isS32(p.job.op)) return "u8" + weights + " to s32";
  return "fp32 to fp32, " + weights + block + (isConv(p.job.op) ? ", range per sample" : ", range per row");
}

void addMatmul(const Problem& p, Candidate candidate, std::vector<Candidate>* out) {
  const Geometry& g = p.shape();
  auto state = std::make_shared<MatmulState>();
  packMatrix(p.w.data(), p.wScales.data(), g.oc, g.depth(), p.weightBits,
             p.weightBits == 4 ? WeightStorage::int4 : WeightStorage::int8, p.job.blockSize, kernels().kGroup,
             &state->weights);
  const size_t outputs = static_cast<size_t>(g.outputs());
  if (isS32(p.job.op)) {
    state->acc = AlignedBuffer<int32_t>(outputs);
    candidate.run = [&p, &g, state] {
      state->status = matmulU8(p.perSample.codes.data(), g.n, g.c, state->weights, nullptr, state->acc.data());
    };
    candidate.check = [&p, &g, state] {
      return state->status ? checkAccumulators(p, state->acc.data(), nhwc(g)) : state->status.message();
    };
  } else {
    state->out = AlignedBuffer<float>(outputs);
    candidate.run = [&p, &g, state] {
      MatmulDynamicArgs args;
      args.x = p.x.data();
      args.m = g.n;
      args.ldx = g.c;
      args.weights = &state->weights;
      args.out = state->out.data();
      state->status = matmulDynamic(args);
    };
    candidate.check = [&p, &g, state] {
      return state->status ? checkFloats(p, p.perSample, state->out.data(), nhwc(g)) : state->status.message();
    };
  }
  out->push_back(std::move(candidate));
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
  if (!isConv(p.job.op)) addMatmul(p, std::move(candidate), out);
}

}  // namespace faultline::bench
