// cuBLASLt's int8 product, from the library that is found at run time: s8 · s8 → s32, both operands with K contiguous,
// by the first algorithm of its own heuristic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace faultline::bench {

class CublasLt {
 public:
  // Null, and why, where there is no library or it refuses.
  static std::unique_ptr<CublasLt> open(std::string* why);
  virtual ~CublasLt() = default;
  // c[m, n] = a[m, k] · b[n, k]ᵀ on a stream (a cudaStream_t), all in device memory, with the given workspace.
  // False where it has no algorithm or fails.
  virtual bool multiply(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t n, int64_t k, void* workspace,
                        size_t workspaceBytes, void* stream) = 0;
};

}  // namespace faultline::bench
