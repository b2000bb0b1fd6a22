// Interface of a device to host code: memory, copies, and the kernels in the order of their launch.
//
// Two implementations: cuda/device.cu (nvcc), and an emulation on the processor that only tests link
// (test/native/emulated_device.cpp). Host code includes no CUDA header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cuda/float_kernels.h"
#include "cuda/operations.h"

namespace faultline::cuda {

enum class DeviceError { none, noDriver, noDevice, unsupported, outOfMemory, failed };

struct DeviceStatus {
  DeviceError error = DeviceError::none;
  std::string message;
  explicit operator bool() const { return error == DeviceError::none; }
};

struct DeviceInfo {
  std::string name;
  int computeMajor = 0, computeMinor = 0;
  int multiprocessors = 0;
  size_t bytes = 0;
  // As CUDA counts: 1000 · major + 10 · minor.
  int driverVersion = 0, runtimeVersion = 0;
};

// Work is queued and done in order; only download and wait wait for it. What fails makes every later status() fail.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  // Aligned to 256 bytes; null where the device has no more.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual size_t freeBytes() = 0;
  // `from` may be changed as soon as this returns.
  virtual void upload(void* to, const void* from, size_t bytes) = 0;
  virtual void download(void* to, const void* from, size_t bytes) = 0;
  virtual void fill(void* to, uint8_t value, size_t bytes) = 0;
  virtual void wait() = 0;
  virtual DeviceStatus status() = 0;

  virtual void matmul(const MatmulCall& call, const Workspace& workspace) = 0;
  virtual void conv2d(const ConvCall& call, const Workspace& workspace) = 0;
  virtual void unary(const UnaryKernel::Params& params) = 0;
  virtual void binary(const BinaryKernel::Params& params) = 0;
  virtual void copy(const CopyKernel::Params& params) = 0;
  virtual void pool(const PoolKernel::Params& params) = 0;
  virtual void score(const ScoreKernel::Params& params) = 0;
};

// The first device that can be seen, or null and why not.
std::unique_ptr<Device> openDevice(DeviceStatus* status);

// The kernels by way of a queue (see operations.h); what both implementations share.
template <typename Queue>
class QueueDevice : public Device {
 public:
  void matmul(const MatmulCall& call, const Workspace& w) final { matmulDynamic(queue_, call, w); }
  void conv2d(const ConvCall& call, const Workspace& w) final { conv2dDynamic(queue_, call, w); }
  void unary(const UnaryKernel::Params& p) final { each<UnaryKernel>(p.count, p); }
  void binary(const BinaryKernel::Params& p) final { each<BinaryKernel>(p.walk.count, p); }
  void copy(const CopyKernel::Params& p) final { each<CopyKernel>(p.walk.count, p); }
  void pool(const PoolKernel::Params& p) final { each<PoolKernel>(p.count, p); }
  void score(const ScoreKernel::Params& p) final { each<ScoreKernel>(p.rows, p); }

 protected:
  Queue queue_;

 private:
  template <typename Kernel>
  void each(int64_t items, const typename Kernel::Params& params) {
    queue_.template launch<Kernel>(Grid{ceilDiv(items, int64_t{Kernel::kThreads})}, params);
  }
};

}  // namespace faultline::cuda
