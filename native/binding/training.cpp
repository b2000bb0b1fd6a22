// Training: the loss, the optimizers' steps, and where aligned memory begins.
#include <string>
#include <vector>

#include "abi/codes.h"
#include "binding/args.h"
#include "binding/float_operations.h"
#include "core/aligned.h"
#include "float/optimizer.h"
#include "float/rows.h"

namespace faultline::binding {
namespace {

float real(const Args& args, size_t i, const char* name) { return static_cast<float>(args.number(i, name)); }

// (buffer: Uint8Array) → bytes from its start to the first address that is a multiple of 64
Napi::Value alignmentBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kBuffer };
  const Args args(info, "alignment");
  const auto address = reinterpret_cast<uintptr_t>(args.array<const uint8_t>(kBuffer, "buffer", 0).data);
  return Napi::Number::New(args.env(), static_cast<double>(roundUp<uintptr_t>(address, kAlignment) - address));
}

// (rows, classes, logits, labels: Int32Array, smoothing, result: Float64Array [loss, correct], gradient?)
Napi::Value crossEntropyBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kRows, kClasses, kLogits, kLabels, kSmoothing, kResult, kGradient };
  const Args args(info, "crossEntropy");
  const int64_t rows = args.integer(kRows, "rows", 1, int64_t{1} << 31);
  const int64_t n = args.integer(kClasses, "classes", 1, int64_t{1} << 31);
  const size_t all = args.elements("logits", {rows, n});
  const auto logits = args.array<const float>(kLogits, "logits", all);
  const std::vector<int32_t> labels = args.copy<int32_t>(kLabels, "labels", static_cast<size_t>(rows));
  for (const int32_t label : labels) {
    if (label < 0 || label >= n) args.refuse("labels", "0 to " + std::to_string(n - 1), std::to_string(label));
  }
  const auto result = args.array<double>(kResult, "result", static_cast<size_t>(CrossEntropyResult::count));
  const CrossEntropy c = crossEntropy(rows, n, logits.data, labels.data(), real(args, kSmoothing, "smoothing"),
                                      args.optionalArray<float>(kGradient, "gradient", all).data);
  result.data[static_cast<size_t>(CrossEntropyResult::loss)] = c.loss;
  result.data[static_cast<size_t>(CrossEntropyResult::correct)] = static_cast<double>(c.correct);
  return args.env().Undefined();
}

// (x) → √(Σ x²)
Napi::Value normBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kX };
  const Args args(info, "norm");
  const auto x = args.array<const float>(kX, "x", 0);
  return Napi::Number::New(args.env(), norm(static_cast<int64_t>(x.length), x.data));
}

// From argument i on: factors [runs] and where each run ends, [runs].
struct DecayArgs {
  std::vector<float> factors;
  std::vector<int32_t> ends;

  DecayArgs(const Args& args, size_t i, size_t count)
      : factors(args.copy<float>(i, "decay factors", count > 0 ? 1 : 0)),
        ends(args.copy<int32_t>(i + 1, "decay ends", factors.size())) {
    for (size_t run = 0; run < factors.size(); ++run) {
      const bool last = run + 1 == factors.size();
      if (ends[run] <= (run > 0 ? ends[run - 1] : 0) || (last && static_cast<size_t>(ends[run]) != count)) {
        args.refuse("decay ends", "ascending numbers up to the count of parameters", std::to_string(ends[run]));
      }
    }
  }
  operator Decay() const { return {factors.data(), ends.data()}; }
};

// (parameters, gradients, decay factors, decay ends, momentum buffer, rate, momentum, nesterov, gradient factor)
Napi::Value sgdStepBinding(const Napi::CallbackInfo& info) {
  enum : size_t {
    kParameters,
    kGradients,
    kDecayFactors,
    kDecayEnds,
    kMomentumBuffer,
    kRate,
    kMomentum,
    kNesterov,
    kGradientFactor
  };
  const Args args(info, "sgdStep");
  const auto p = args.array<float>(kParameters, "parameters", 0);
  const auto g = args.array<const float>(kGradients, "gradients", p.length);
  const DecayArgs decay(args, kDecayFactors, p.length);
  const auto m = args.array<float>(kMomentumBuffer, "momentum", p.length);
  sgdStep({real(args, kRate, "rate"), real(args, kMomentum, "momentum"), args.boolean(kNesterov),
           real(args, kGradientFactor, "factor")},
          static_cast<int64_t>(p.length), decay, g.data, m.data, p.data);
  return args.env().Undefined();
}

// (parameters, gradients, decay factors, decay ends, m, v, rate, beta1, beta2, epsilon, decoupled, gradient factor,
// step)
Napi::Value adamStepBinding(const Napi::CallbackInfo& info) {
  enum : size_t {
    kParameters,
    kGradients,
    kDecayFactors,
    kDecayEnds,
    kM,
    kV,
    kRate,
    kBeta1,
    kBeta2,
    kEpsilon,
    kDecoupled,
    kGradientFactor,
    kStep
  };
  const Args args(info, "adamStep");
  const auto p = args.array<float>(kParameters, "parameters", 0);
  const auto g = args.array<const float>(kGradients, "gradients", p.length);
  const DecayArgs decay(args, kDecayFactors, p.length);
  const auto m = args.array<float>(kM, "m", p.length);
  const auto v = args.array<float>(kV, "v", p.length);
  adamStep({real(args, kRate, "rate"), real(args, kBeta1, "beta1"), real(args, kBeta2, "beta2"),
            real(args, kEpsilon, "epsilon"), args.boolean(kDecoupled), real(args, kGradientFactor, "factor"),
            args.number(kStep, "step")},
           static_cast<int64_t>(p.length), decay, g.data, m.data, v.data, p.data);
  return args.env().Undefined();
}

// (parameters, average, decay)
Napi::Value averageStepBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kParameters, kAverage, kDecay };
  const Args args(info, "averageStep");
  const auto p = args.array<const float>(kParameters, "parameters", 0);
  const auto average = args.array<float>(kAverage, "average", p.length);
  averageStep(real(args, kDecay, "decay"), static_cast<int64_t>(p.length), p.data, average.data);
  return args.env().Undefined();
}

}  // namespace

void defineTraining(Napi::Object exports) {
  addFunction<alignmentBinding>(exports, "alignment");
  addFunction<crossEntropyBinding>(exports, "crossEntropy");
  addFunction<normBinding>(exports, "norm");
  addFunction<sgdStepBinding>(exports, "sgdStep");
  addFunction<adamStepBinding>(exports, "adamStep");
  addFunction<averageStepBinding>(exports, "averageStep");
}

}  // namespace faultline::binding
