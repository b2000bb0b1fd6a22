// One native function per operation; each file of this folder defines some, addon.cpp exports them.
#pragma once

#include <napi.h>

namespace faultline::binding {

Napi::Value inspectBinding(const Napi::CallbackInfo& info);
Napi::Value lockFileBinding(const Napi::CallbackInfo& info);
Napi::Value matmulDynamicBinding(const Napi::CallbackInfo& info);
Napi::Value conv2dDynamicBinding(const Napi::CallbackInfo& info);
Napi::Value matmulU8Binding(const Napi::CallbackInfo& info);
Napi::Value chooseQParamsBinding(const Napi::CallbackInfo& info);
Napi::Value quantizeBinding(const Napi::CallbackInfo& info);
Napi::Value quantizeLinearBinding(const Napi::CallbackInfo& info);
Napi::Value dequantizeBinding(const Napi::CallbackInfo& info);
Napi::Value matMulIntegerBinding(const Napi::CallbackInfo& info);
Napi::Value qLinearMatMulBinding(const Napi::CallbackInfo& info);
Napi::Value convIntegerBinding(const Napi::CallbackInfo& info);
Napi::Value qLinearConvBinding(const Napi::CallbackInfo& info);

}  // namespace faultline::binding
