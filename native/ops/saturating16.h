// A product as a processor without VNNI computes it (kernels/saturating16.h), with the events counted.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace faultline {

// Stands in for KernelTable::gemm: the same arguments, the same way from accumulators to floats, saturated
// accumulators. saturations[panels · 16] is raised by the events of each output channel in the panels of the call.
void gemmSaturating16(const GemmCall& call, int64_t* saturations);

}  // namespace faultline
