// Launches kernels on a CUDA stream; compiled by nvcc only.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/device.h"

namespace faultline::cuda {

// What a kernel may use of shared memory without asking.
inline constexpr int kDefaultSharedBytes = 48 * 1024;

// __grid_constant__: kernels read their parameters where they are, arrays in them included.
template <typename Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, 1) entry(const __grid_constant__ typename Kernel::Params params) {
  extern __shared__ __align__(128) uint8_t shared[];
  const Cta cta = {static_cast<int>(threadIdx.x), static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
                   static_cast<int>(blockIdx.z), shared};
  Kernel::run(params, cta);
}

// The first error stays, and nothing is launched after it.
struct StreamQueue {
  cudaStream_t stream = nullptr;
  cudaError_t error = cudaSuccess;

  template <typename Kernel>
  void launch(const Grid& grid, const typename Kernel::Params& params) {
    if (error != cudaSuccess || grid.x == 0 || grid.y == 0 || grid.z == 0) return;
    if (Kernel::kSharedBytes > kDefaultSharedBytes) {
      // Once a process: it costs as much as a launch.
      static const cudaError_t allowed =
          cudaFuncSetAttribute(entry<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize, Kernel::kSharedBytes);
      error = allowed;
      if (error != cudaSuccess) return;
    }
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
    entry<Kernel><<<blocks, Kernel::kThreads, Kernel::kSharedBytes, stream>>>(params);
    error = cudaGetLastError();
  }
};

}  // namespace faultline::cuda
