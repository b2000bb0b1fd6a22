#include "kernels/kernel.h"
namespace faultline {
const KernelTable* neonI8mmKernels() { return nullptr; }
}  // namespace faultline
