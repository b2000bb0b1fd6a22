#include "kernels/kernel.h"
namespace faultline {
const KernelTable* neonDotprodKernels() { return nullptr; }
}  // namespace faultline
