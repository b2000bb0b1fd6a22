// Dynamic products and what lies between them on one device: memory, uploads, calls in order, and what went wrong.
// Calls wait only where the host reads a result.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/memory_pool.h"
#include "cuda/weights.h"

namespace faultline::cuda {

class Session;

// A piece of a session's memory; keeps the session alive.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(std::shared_ptr<Session> session, void* data, size_t bytes);
  DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory() { reset(); }
  void reset();

  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  std::shared_ptr<Session> session_;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// Weights on the device.
struct UploadedWeights {
  WeightLayout layout;
  ConvWeightShape shape;  // of a convolution
  bool isConv = false;
  DeviceMemory codes, sums, scales;
  // chunkOffsets() by bytes from row to row and from column to column of the window.
  std::map<std::pair<int64_t, int64_t>, DeviceMemory> chunkOffsets;

  DeviceWeights onDevice() const { return {layout, codes.as<uint8_t>(), sums.as<int32_t>(), scales.as<float>()}; }
  size_t bytes() const { return codes.bytes() + sums.bytes() + scales.bytes(); }
};

// How a call's activations are quantized; the pointers are the host's.
struct Quantization {
  bool perTensor = false;
  int bits = 8;
  const uint8_t* unitBits = nullptr;  // [rows or samples] instead of bits
  float* scale = nullptr;             // [rows or samples], filled when expected: waits for the device
  int32_t* zeroPoint = nullptr;       // the same
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  // Null and why not.
  static std::shared_ptr<Session> open(DeviceStatus* status);

  Device& device() { return *device_; }
  const MemoryPool& pool() const { return pool_; }
  void trim() { pool_.trim(); }

  DeviceStatus take(size_t bytes, DeviceMemory* memory);
  DeviceStatus upload(const void* from, size_t bytes, DeviceMemory* memory);
  DeviceStatus upload(const WeightImage& image, UploadedWeights* weights);

  // call.x, m, output and fault are set; weights, bits and the rest are filled in here.
  DeviceStatus matmul(MatmulCall call, const UploadedWeights& weights, const Quantization& q);
  DeviceStatus conv2d(ConvCall call, UploadedWeights& weights, const Quantization& q);

 private:
  friend class DeviceMemory;
  explicit Session(std::unique_ptr<Device> device) : device_(std::move(device)), pool_(*device_) {}
  DeviceStatus noMemory(size_t bytes);
  DeviceStatus begin(const Activations& a, const Quantization& q, DeviceMemory* scratch, DeviceMemory* bits);
  DeviceStatus finish(const Activations& a, const Quantization& q, const Workspace& w);

  std::unique_ptr<Device> device_;
  MemoryPool pool_;
};

}  // namespace faultline::cuda
