// The device itself, by way of CUDA's runtime: kernels as entry points, one stream, memory, copies.
#include "cuda/stream.h"

namespace faultline::cuda {
namespace {

constexpr int kLeastMajor = 8;  // mma.sync with u8 · s8 and cp.async

std::string version(int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); }

class CudaDevice final : public QueueDevice<StreamQueue> {
 public:
  explicit CudaDevice(DeviceInfo info) : info_(std::move(info)) {
    check(cudaSetDevice(0));
    check(cudaStreamCreateWithFlags(&queue_.stream, cudaStreamNonBlocking));
  }
  ~CudaDevice() override {
    if (queue_.stream != nullptr) cudaStreamDestroy(queue_.stream);
  }
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const DeviceInfo& info() const override { return info_; }

  void* allocate(size_t bytes) override {
    void* memory = nullptr;
    if (failed()) return nullptr;
    const cudaError_t error = cudaMalloc(&memory, bytes);
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // not a failure of the device: existing memory stays valid
      return nullptr;
    }
    check(error);
    return failed() ? nullptr : memory;
  }
  // cudaFree waits for the device, so nothing still runs on what is released.
  void release(void* memory) override { cudaFree(memory); }
  size_t freeBytes() override {
    size_t free = 0, total = 0;
    return cudaMemGetInfo(&free, &total) == cudaSuccess ? free : 0;
  }

  // From pageable memory: CUDA has read all of it when the call returns.
  void upload(void* to, const void* from, size_t bytes) override {
    if (!failed()) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, queue_.stream));
  }
  void download(void* to, const void* from, size_t bytes) override {
    if (failed()) return;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, queue_.stream));
    wait();
  }
  void fill(void* to, uint8_t value, size_t bytes) override {
    if (!failed()) check(cudaMemsetAsync(to, value, bytes, queue_.stream));
  }
  void wait() override {
    if (!failed()) check(cudaStreamSynchronize(queue_.stream));
  }
  DeviceStatus status() override {
    if (!failed()) return {};
    return {DeviceError::failed, info_.name + " failed: " + cudaGetErrorString(queue_.error)};
  }

 private:
  bool failed() const { return queue_.error != cudaSuccess; }
  void check(cudaError_t error) {
    if (!failed()) queue_.error = error;
  }

  DeviceInfo info_;
};

}  // namespace

std::unique_ptr<Device> openDevice(DeviceStatus* status) {
  DeviceInfo info;
  cudaRuntimeGetVersion(&info.runtimeVersion);
  cudaDriverGetVersion(&info.driverVersion);  // 0 without a driver
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (info.driverVersion == 0 || error == cudaErrorInsufficientDriver) {
    *status = {DeviceError::noDriver,
               "expected an NVIDIA driver for CUDA " + version(info.runtimeVersion) + " or later, received " +
                   (info.driverVersion == 0 ? "none" : "one for CUDA " + version(info.driverVersion))};
    return nullptr;
  }
  if (error != cudaSuccess || devices == 0) {
    *status = {DeviceError::noDevice, std::string("expected an NVIDIA GPU, received none that this process may use") +
                                          (error == cudaSuccess ? "" : std::string(": ") + cudaGetErrorString(error))};
    return nullptr;
  }
  cudaDeviceProp properties;
  if (const cudaError_t asked = cudaGetDeviceProperties(&properties, 0); asked != cudaSuccess) {
    *status = {DeviceError::failed, std::string("asking for the GPU's properties failed: ") + cudaGetErrorString(asked)};
    return nullptr;
  }
  info.name = properties.name;
  info.computeMajor = properties.major;
  info.computeMinor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.bytes = properties.totalGlobalMem;
  if (info.computeMajor < kLeastMajor) {
    *status = {DeviceError::unsupported, "expected a GPU of compute capability 8.0 or later, received " + info.name +
                                             " with " + std::to_string(info.computeMajor) + "." +
                                             std::to_string(info.computeMinor)};
    return nullptr;
  }
  auto device = std::make_unique<CudaDevice>(std::move(info));
  *status = device->status();
  if (!*status) return nullptr;
  return device;
}

}  // namespace faultline::cuda
