// The addon: what JavaScript sees. Loaded once per environment by lib/native/addon.ts.
#include <napi.h>

#include "abi/codes.h"
#include "binding/batch_filler.h"
#include "binding/convolution.h"
#include "binding/error_profile.h"
#include "binding/float_operations.h"
#include "binding/integer_operand.h"
#include "binding/operations.h"
#include "binding/packed_conv_weights.h"
#include "binding/packed_weights.h"
#include "core/parallel.h"

namespace faultline::binding {
namespace {

template <Napi::Value (*operation)(const Napi::CallbackInfo&)>
void add(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<operation>(exports.Env(), name));
}

// The TypeScript class that native refusals are thrown as.
void setErrorClass(const Napi::CallbackInfo& info) {
  enum : size_t { kErrorClass };
  if (!info[kErrorClass].IsFunction()) Args(info, "setErrorClass").refuse("errorClass", "a class", "another value");
  info.Env().GetInstanceData<EnvironmentData>()->errorClass = Napi::Persistent(info[kErrorClass].As<Napi::Function>());
}

void setThreadsBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kCount };
  const Args args(info, "setThreads");
  setThreads(static_cast<int>(args.integer(kCount, "count", 0, mostThreads())));
}

Napi::Value threadsBinding(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), threads()); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new EnvironmentData());
  exports.Set("abiVersion", kAbiVersion);
  exports.Set("setErrorClass", Napi::Function::New(env, setErrorClass));
  exports.Set("setThreads", Napi::Function::New(env, setThreadsBinding));
  exports.Set("IntegerOperand", IntegerOperandHandle::define(env));
  exports.Set("PackedWeights", PackedWeightsHandle::define(env));
  exports.Set("ErrorProfile", ErrorProfileHandle::define(env));
  exports.Set("PackedConvWeights", PackedConvWeightsHandle::define(env));
  exports.Set("Convolution", ConvolutionHandle::define(env));
  exports.Set("BatchFiller", BatchFillerHandle::define(env));
  add<threadsBinding>(exports, "threads");
  add<inspectBinding>(exports, "inspect");
  add<lockFileBinding>(exports, "lockFile");
  add<conv2dDynamicBinding>(exports, "conv2dDynamic");
  add<matmulDynamicBinding>(exports, "matmulDynamic");
  add<matmulU8Binding>(exports, "matmulU8");
  add<chooseQParamsBinding>(exports, "chooseQParams");
  add<quantizeBinding>(exports, "quantize");
  add<quantizeLinearBinding>(exports, "quantizeLinear");
  add<dequantizeBinding>(exports, "dequantize");
  add<matMulIntegerBinding>(exports, "matMulInteger");
  add<qLinearMatMulBinding>(exports, "qLinearMatMul");
  add<convIntegerBinding>(exports, "convInteger");
  add<qLinearConvBinding>(exports, "qLinearConv");
  defineElementwise(exports);
  defineFakeQuant(exports);
  defineNetwork(exports);
  defineStatistics(exports);
  defineTraining(exports);
  defineImage(exports);
  return exports;
}

NODE_API_MODULE(faultline, init)

}  // namespace
}  // namespace faultline::binding
