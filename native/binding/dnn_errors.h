// What oneDNN throws, as a JavaScript error.
#pragma once

#include <napi.h>

#include <dnnl.hpp>
#include <string>

namespace faultline::binding {

template <typename Fn>
auto withDnnErrors(Napi::Env env, const char* operation, Fn&& fn) {
  try {
    return fn();
  } catch (const dnnl::error& error) {
    throw Napi::Error::New(env, std::string(operation) + ": oneDNN: " + error.what());
  }
}

}  // namespace faultline::binding
