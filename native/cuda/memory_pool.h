// Device memory that is used again: asking the driver takes as long as a small layer and waits for the device. Pieces
// are rounded up to an eighth of a power of two. Work runs in order, so returned memory may be reused at once.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "cuda/device.h"

namespace faultline::cuda {

class MemoryPool {
 public:
  explicit MemoryPool(Device& device) : device_(device) {}
  ~MemoryPool() { trim(); }
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // Null where the device has no more, even after all unused memory is returned to it.
  void* take(size_t bytes);
  void give(void* memory);
  // Returns unused memory to the device.
  void trim();

  size_t bytes() const { return bytes_; }            // held of the device
  size_t bytesInUse() const { return bytesInUse_; }  // of these, taken
  static size_t rounded(size_t bytes);

 private:
  Device& device_;
  std::map<size_t, std::vector<void*>> free_;  // by rounded size
  std::unordered_map<void*, size_t> taken_;
  size_t bytes_ = 0;
  size_t bytesInUse_ = 0;
};

}  // namespace faultline::cuda
