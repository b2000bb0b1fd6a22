// What the CUDA addon gives JavaScript to hold: arrays and weights on the device. dispose() gives the memory back at
// once; using it afterwards is an error.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/args.h"
#include "cuda/session.h"

namespace faultline::binding {

// Kept per environment; its session is opened by the first call of open().
struct CudaEnvironment : EnvironmentData {
  Napi::FunctionReference deviceErrorClass;  // DeviceError(reason, message)
  std::shared_ptr<cuda::Session> session;
};

void throwIfFailed(Napi::Env env, const cuda::DeviceStatus& status);
// The open session; refuses when open() has not been called.
cuda::Session& sessionOf(const Args& args);

// `count` values of four bytes on the device.
class DeviceArrayHandle : public Napi::ObjectWrap<DeviceArrayHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DeviceArrayHandle(const Napi::CallbackInfo& info);

  // The elements behind argument i, at least `count` of them.
  template <typename T>
  static T* unwrap(const Args& args, size_t i, const char* name, int64_t count) {
    static_assert(sizeof(T) == 4);
    return static_cast<T*>(elements(args, i, name, count));
  }
  template <typename T>
  static T* optional(const Args& args, size_t i, const char* name, int64_t count) {
    return args.absent(i) ? nullptr : unwrap<T>(args, i, name, count);
  }

 private:
  static void* elements(const Args& args, size_t i, const char* name, int64_t count);
  void write(const Napi::CallbackInfo& info);
  void read(const Napi::CallbackInfo& info);
  void clear(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo&) { memory_.reset(); }
  // A typed array of four-byte elements, at most as many as here.
  Napi::TypedArray hostArray(const Args& args) const;

  cuda::DeviceMemory memory_;
  int64_t count_ = 0;
};

class DeviceWeightsHandle : public Napi::ObjectWrap<DeviceWeightsHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DeviceWeightsHandle(const Napi::CallbackInfo& info);

  static cuda::UploadedWeights& unwrap(const Args& args, size_t i, bool isConv);

 private:
  Napi::Value bytes(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo&) { weights_.reset(); }

  std::unique_ptr<cuda::UploadedWeights> weights_;
};

// The operations of cuda_operations.cpp.
void defineCudaOperations(Napi::Object exports);

}  // namespace faultline::binding
