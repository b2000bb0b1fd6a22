#include "cuda/memory_pool.h"

#include "core/aligned.h"

namespace faultline::cuda {

size_t MemoryPool::rounded(size_t bytes) {
  constexpr size_t kLeast = 512;
  size_t step = kLeast;
  while (step * 16 <= bytes) step *= 2;  // an eighth of the largest power of two not above bytes
  return roundUp(bytes > 0 ? bytes : 1, step);
}

void* MemoryPool::take(size_t bytes) {
  const size_t size = rounded(bytes);
  void* memory = nullptr;
  std::vector<void*>& same = free_[size];
  if (!same.empty()) {
    memory = same.back();
    same.pop_back();
  } else {
    memory = device_.allocate(size);
    if (memory == nullptr) {
      trim();
      memory = device_.allocate(size);
    }
    if (memory == nullptr) return nullptr;
    bytes_ += size;
  }
  taken_[memory] = size;
  bytesInUse_ += size;
  return memory;
}

void MemoryPool::give(void* memory) {
  const auto found = taken_.find(memory);
  if (found == taken_.end()) return;
  bytesInUse_ -= found->second;
  free_[found->second].push_back(memory);
  taken_.erase(found);
}

void MemoryPool::trim() {
  for (auto& [size, pieces] : free_) {
    for (void* memory : pieces) {
      device_.release(memory);
      bytes_ -= size;
    }
    pieces.clear();
  }
}

}  // namespace faultline::cuda
