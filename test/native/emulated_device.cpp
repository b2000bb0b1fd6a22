// The device of native/cuda on the processor (cuda_emulator.h). Told by the environment, so that tests of what goes
// wrong need no other build: FAULTLINE_EMULATED_BYTES (memory, default 1 GiB) and FAULTLINE_EMULATED_FAILURE (the
// device fails from its n-th kernel on; `no driver` refuses to open).
#include <cstdlib>
#include <cstring>
#include <map>

#include "cuda/device.h"
#include "cuda_emulator.h"

namespace faultline::cuda {
namespace {

constexpr size_t kDefaultBytes = size_t{1} << 30;
constexpr size_t kAligned = 256;
constexpr uint8_t kGarbage = 0xcd;

size_t setting(const char* name, size_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == 0 ? otherwise : static_cast<size_t>(std::strtoull(value, nullptr, 10));
}

struct FailingQueue {
  EmulatedQueue queue;
  size_t launches = 0;
  bool failed = false;

  template <typename Kernel>
  void launch(const Grid& grid, const typename Kernel::Params& params) {
    const size_t failure = setting("FAULTLINE_EMULATED_FAILURE", 0);
    failed = failed || (failure > 0 && ++launches >= failure);
    if (!failed) queue.launch<Kernel>(grid, params);
  }
};

class EmulatedDevice final : public QueueDevice<FailingQueue> {
 public:
  EmulatedDevice() {
    info_.name = "emulated device";
    info_.computeMajor = 9;
    info_.multiprocessors = 1;
    info_.bytes = kDefaultBytes;
  }
  ~EmulatedDevice() override {
    for (auto& [memory, bytes] : pieces_) std::free(memory);
  }
  EmulatedDevice(const EmulatedDevice&) = delete;
  EmulatedDevice& operator=(const EmulatedDevice&) = delete;

  const DeviceInfo& info() const override { return info_; }
  void* allocate(size_t bytes) override {
    if (bytes > freeBytes()) return nullptr;
    void* memory = std::aligned_alloc(kAligned, roundUp(bytes, kAligned));
    if (memory == nullptr) return nullptr;
    std::memset(memory, kGarbage, bytes);
    pieces_[memory] = bytes;
    used_ += bytes;
    return memory;
  }
  void release(void* memory) override {
    used_ -= pieces_[memory];
    pieces_.erase(memory);
    std::free(memory);
  }
  size_t freeBytes() override {
    const size_t bytes = setting("FAULTLINE_EMULATED_BYTES", kDefaultBytes);
    return bytes > used_ ? bytes - used_ : 0;
  }
  void upload(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void fill(void* to, uint8_t value, size_t bytes) override { std::memset(to, value, bytes); }
  void wait() override {}
  DeviceStatus status() override {
    if (!queue_.failed) return {};
    return {DeviceError::failed, info_.name + " failed: as it was told to"};
  }

 private:
  DeviceInfo info_;
  std::map<void*, size_t> pieces_;
  size_t used_ = 0;
};

}  // namespace

std::unique_ptr<Device> openDevice(DeviceStatus* status) {
  const char* failure = std::getenv("FAULTLINE_EMULATED_FAILURE");
  if (failure != nullptr && std::strcmp(failure, "no driver") == 0) {
    *status = {DeviceError::noDriver, "expected an NVIDIA driver, received none: as it was told to"};
    return nullptr;
  }
  *status = {};
  return std::make_unique<EmulatedDevice>();
}

}  // namespace faultline::cuda
