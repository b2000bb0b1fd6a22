// A product as a processor without VNNI computes it (kernels/saturating16.h), with the events counted.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace faultline {

// Stands in for KernelTable::gemm: the same arguments, the same way from accumulators to floats, saturated
// accumulators. saturations[N], if not null, is raised by the events of each output channel: atomically, since several
// threads may share the channels.
void gemmSaturating16(const GemmCall& call, int64_t* saturations);

}  // namespace faultline
