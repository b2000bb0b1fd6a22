#include "cuda/session.h"

#include <algorithm>

namespace faultline::cuda {
namespace {

std::string mebibytes(size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

DeviceMemory::DeviceMemory(std::shared_ptr<Session> session, void* data, size_t bytes)
    : session_(std::move(session)), data_(data), bytes_(bytes) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(session_, other.session_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void DeviceMemory::reset() {
  if (data_ != nullptr) session_->pool_.give(data_);
  data_ = nullptr;
  bytes_ = 0;
  session_.reset();
}

std::shared_ptr<Session> Session::open(DeviceStatus* status) {
  std::unique_ptr<Device> device = openDevice(status);
  if (!device) return nullptr;
  return std::shared_ptr<Session>(new Session(std::move(device)));
}

DeviceStatus Session::noMemory(size_t bytes) {
  return {DeviceError::outOfMemory, "expected " + mebibytes(bytes) + " of device memory, received " +
                                        mebibytes(device_->freeBytes()) + " free of " +
                                        mebibytes(device_->info().bytes) + ", beside " + mebibytes(pool_.bytesInUse()) +
                                        " in use here"};
}

DeviceStatus Session::take(size_t bytes, DeviceMemory* memory) {
  void* data = pool_.take(bytes);
  if (data == nullptr) {
    if (DeviceStatus status = device_->status(); !status) return status;
    return noMemory(bytes);
  }
  *memory = DeviceMemory(shared_from_this(), data, bytes);
  return {};
}

DeviceStatus Session::upload(const void* from, size_t bytes, DeviceMemory* memory) {
  if (DeviceStatus status = take(bytes, memory); !status) return status;
  if (bytes > 0) device_->upload(memory->as<void>(), from, bytes);
  return device_->status();
}

DeviceStatus Session::upload(const WeightImage& image, UploadedWeights* weights) {
  weights->layout = image.layout;
  if (DeviceStatus s = upload(image.codes.data(), image.codes.size(), &weights->codes); !s) return s;
  if (DeviceStatus s = upload(image.sums.data(), image.sums.size() * sizeof(int32_t), &weights->sums); !s) return s;
  return upload(image.scales.data(), image.scales.size() * sizeof(float), &weights->scales);
}

DeviceStatus Session::begin(const Activations& a, const Quantization& q, DeviceMemory* scratch, DeviceMemory* bits) {
  if (q.unitBits != nullptr) {
    if (DeviceStatus s = upload(q.unitBits, static_cast<size_t>(a.units), bits); !s) return s;
  }
  return take(carve(a, nullptr).bytes, scratch);
}

DeviceStatus Session::finish(const Activations& a, const Quantization& q, const Workspace& w) {
  const size_t params = static_cast<size_t>(a.params());
  if (q.scale != nullptr) {
    device_->download(q.scale, w.scale, params * sizeof(float));
    std::fill(q.scale + params, q.scale + a.units, q.scale[0]);
  }
  if (q.zeroPoint != nullptr) {
    device_->download(q.zeroPoint, w.zeroPoint, params * sizeof(int32_t));
    std::fill(q.zeroPoint + params, q.zeroPoint + a.units, q.zeroPoint[0]);
  }
  return device_->status();
}

DeviceStatus Session::matmul(MatmulCall call, const UploadedWeights& weights, const Quantization& q) {
  if (call.m == 0) return device_->status();
  call.weights = weights.onDevice();
  call.perTensor = q.perTensor;
  call.bits = q.bits;
  DeviceMemory scratch, bits;
  if (DeviceStatus s = begin(activationsOf(call), q, &scratch, &bits); !s) return s;
  call.rowBits = bits.as<uint8_t>();
  const Activations a = activationsOf(call);
  const Workspace w = carve(a, scratch.as<uint8_t>());
  device_->matmul(call, w);
  return finish(a, q, w);
}

DeviceStatus Session::conv2d(ConvCall call, UploadedWeights& weights, const Quantization& q) {
  if (call.n == 0) return device_->status();
  call.weights = weights.onDevice();
  call.kernelH = weights.shape.kernelH;
  call.kernelW = weights.shape.kernelW;
  call.perTensor = q.perTensor;
  call.bits = q.bits;
  DeviceMemory scratch, bits;
  if (DeviceStatus s = begin(activationsOf(call), q, &scratch, &bits); !s) return s;
  call.sampleBits = bits.as<uint8_t>();
  const Activations a = activationsOf(call);
  if (!weights.layout.depthwise) {
    const int64_t rowBytes = call.dilationH * a.paddedW() * a.pixelBytes(),
                  columnBytes = call.dilationW * a.pixelBytes();
    DeviceMemory& offsets = weights.chunkOffsets[{rowBytes, columnBytes}];
    if (!offsets) {
      const std::vector<int32_t> host = chunkOffsets(weights.shape, rowBytes, columnBytes);
      if (DeviceStatus s = upload(host.data(), host.size() * sizeof(int32_t), &offsets); !s) return s;
    }
    call.chunkOffset = offsets.as<int32_t>();
  }
  const Workspace w = carve(a, scratch.as<uint8_t>());
  device_->conv2d(call, w);
  return finish(a, q, w);
}

}  // namespace faultline::cuda
