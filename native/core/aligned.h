// 64-byte aligned memory: owned buffers for packed weights, and per-thread scratch that is kept between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace faultline {

// One cache line, one zmm register, one AMX tile row.
inline constexpr size_t kAlignment = 64;

template <typename T>
constexpr T roundUp(T value, T multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
template <typename T>
constexpr T ceilDiv(T value, T divisor) {
  return (value + divisor - 1) / divisor;
}

template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  // Contents are zero; throws std::bad_alloc, which binding/ turns into a JavaScript error.
  explicit AlignedBuffer(size_t count) : size_(count) {
    const size_t bytes = roundUp(count * sizeof(T) + kReadSlack, kAlignment);
    void* p = std::aligned_alloc(kAlignment, bytes);
    if (p == nullptr) throw std::bad_alloc();
    __builtin_memset(p, 0, bytes);
    data_.reset(static_cast<T*>(p));
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  // Kernels may read, never use, up to one vector past the end.
  static constexpr size_t kReadSlack = kAlignment;
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

// Grow-only scratch memory, one per thread and purpose (the tag): no allocation in a steady state.
// The returned pointer is valid until the next call with the same tag on the same thread.
template <typename Tag, typename T>
T* scratch(size_t count) {
  thread_local AlignedBuffer<T> buffer;
  if (buffer.size() < count) buffer = AlignedBuffer<T>(roundUp(count, size_t{4096}));
  return buffer.data();
}

}  // namespace faultline
