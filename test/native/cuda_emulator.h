// Runs the CUDA kernels of native/cuda on the processor, for tests: each thread of a block is a fiber, blocks follow
// one another. Barriers and the warp's instructions wait for their threads; mma and ldmatrix distribute their operands
// as the PTX ISA documents. Fresh shared memory holds garbage, and an asynchronous copy arrives only when it is waited
// for, so that a missing wait shows. What cannot show: races between threads (a fiber runs undisturbed between two such
// points), the memory model, alignment rules that no instruction here checks, limits on registers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/operations.h"

namespace faultline::cuda {

struct EmulatedBlock {
  int threads;
  size_t sharedBytes;
  int x, y, z;
  void (*run)(const void* params, const Cta& cta);
  const void* params;
};

// Throws std::logic_error where threads diverge at a collective instruction or hand it a bad address.
void emulateBlock(const EmulatedBlock& block);

// Kernels whose threads never meet say so (kIndependent); theirs need no fibers.
template <typename Kernel>
constexpr bool isIndependent() {
  if constexpr (requires { Kernel::kIndependent; }) return Kernel::kIndependent;
  return false;
}

struct EmulatedQueue {
  template <typename Kernel>
  void launch(const Grid& grid, const typename Kernel::Params& params) {
    for (int64_t z = 0; z < grid.z; ++z) {
      for (int64_t y = 0; y < grid.y; ++y) {
        for (int64_t x = 0; x < grid.x; ++x)
          block<Kernel>(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z), params);
      }
    }
  }

 private:
  template <typename Kernel>
  static void block(int x, int y, int z, const typename Kernel::Params& params) {
    if constexpr (isIndependent<Kernel>()) {
      for (int thread = 0; thread < Kernel::kThreads; ++thread) Kernel::run(params, Cta{thread, x, y, z, nullptr});
    } else {
      emulateBlock(
          {Kernel::kThreads, size_t{Kernel::kSharedBytes}, x, y, z,
           [](const void* p, const Cta& cta) { Kernel::run(*static_cast<const typename Kernel::Params*>(p), cta); },
           &params});
    }
  }
};

}  // namespace faultline::cuda
