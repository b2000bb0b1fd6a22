// The float32 operations that networks are trained and evaluated with: each file here defines some, addon.cpp asks for
// them.
#pragma once

#include <napi.h>

namespace faultline::binding {

template <Napi::Value (*operation)(const Napi::CallbackInfo&)>
void addFunction(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<operation>(exports.Env(), name));
}

void defineElementwise(Napi::Object exports);
void defineFakeQuant(Napi::Object exports);
void defineNetwork(Napi::Object exports);
void defineStatistics(Napi::Object exports);
void defineTraining(Napi::Object exports);
void defineImage(Napi::Object exports);

}  // namespace faultline::binding
