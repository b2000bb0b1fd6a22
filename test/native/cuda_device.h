// The device that the CUDA tests run on: emulated in the native tests, a real one in cuda_exactness.
#pragma once

#include <doctest/doctest.h>

#include <vector>

#include "cuda/session.h"

namespace faultline::test {

inline cuda::Session& session() {
  static const std::shared_ptr<cuda::Session> one = [] {
    cuda::DeviceStatus status;
    auto opened = cuda::Session::open(&status);
    if (!opened) FAIL(status.message);
    return opened;
  }();
  return *one;
}

inline cuda::DeviceMemory take(size_t bytes) {
  cuda::DeviceMemory memory;
  REQUIRE(session().take(bytes, &memory));
  return memory;
}

template <typename T>
cuda::DeviceMemory upload(const std::vector<T>& values) {
  cuda::DeviceMemory memory;
  REQUIRE(session().upload(values.data(), values.size() * sizeof(T), &memory));
  return memory;
}

template <typename T>
std::vector<T> download(const cuda::DeviceMemory& memory, size_t count) {
  std::vector<T> values(count);
  session().device().download(values.data(), memory.as<void>(), count * sizeof(T));
  REQUIRE(session().device().status());
  return values;
}

}  // namespace faultline::test
