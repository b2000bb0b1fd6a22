#include "kernels/kernel.h"
namespace faultline {
const KernelTable* avx2Kernels() { return nullptr; }
}  // namespace faultline
