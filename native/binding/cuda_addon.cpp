// The CUDA addon: a separate file, loaded by lib/native/cuda_addon.ts when the device is requested. Holds no
// library of CUDA's but the runtime, statically; the driver is looked for by open().
#include <napi.h>

#include "abi/codes.h"
#include "binding/cuda_handles.h"

namespace faultline::binding {
namespace {

// (InvalidArgumentError, DeviceError): what refusals and failures are thrown as.
void setErrorClasses(const Napi::CallbackInfo& info) {
  enum : size_t { kInvalidArgument, kDevice };
  auto* data = info.Env().GetInstanceData<CudaEnvironment>();
  data->errorClass = Napi::Persistent(info[kInvalidArgument].As<Napi::Function>());
  data->deviceErrorClass = Napi::Persistent(info[kDevice].As<Napi::Function>());
}

std::string version(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

// Opens the first device, once for each environment, and describes it; throws DeviceError.
Napi::Value openBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto* data = env.GetInstanceData<CudaEnvironment>();
  if (!data->session) {
    cuda::DeviceStatus status;
    data->session = cuda::Session::open(&status);
    throwIfFailed(env, status);
  }
  const cuda::DeviceInfo& device = data->session->device().info();
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", device.name);
  result.Set("computeCapability", std::to_string(device.computeMajor) + "." + std::to_string(device.computeMinor));
  result.Set("multiprocessors", device.multiprocessors);
  result.Set("bytes", static_cast<double>(device.bytes));
  result.Set("driver", version(device.driverVersion));
  result.Set("runtime", version(device.runtimeVersion));
  return result;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new CudaEnvironment());
  exports.Set("abiVersion", kCudaAbiVersion);
  exports.Set("setErrorClasses", Napi::Function::New(env, setErrorClasses));
  exports.Set("open", Napi::Function::New<openBinding>(env, "open"));
  exports.Set("DeviceArray", DeviceArrayHandle::define(env));
  exports.Set("DeviceWeights", DeviceWeightsHandle::define(env));
  defineCudaOperations(exports);
  return exports;
}

NODE_API_MODULE(faultline_cuda, init)

}  // namespace
}  // namespace faultline::binding
