// The one place that chooses kernels. FAULTLINE_ISA=<name> overrides; an unknown or unavailable name is an error.
#pragma once

#include <string>

#include "core/status.h"
#include "kernels/kernel.h"
#include "kernels/profile_kernels.h"
#include "kernels/saturating16.h"
#include "kernels/winograd_kernels.h"

namespace faultline {

bool isaCompiled(Isa isa);
bool isaAvailable(Isa isa);  // compiled and supported by this processor

// The table in use. Chosen once, at the first call; dispatchStatus() reports whether FAULTLINE_ISA was usable
// (when it was not, kernels() is the scalar table and every operation refuses with that message).
const KernelTable& kernels();
const Status& dispatchStatus();

// The table of one ISA; null when it is not available.
const KernelTable* kernelsFor(Isa isa);

// Tests compare tables: every operation uses this one from now on; null returns to the choice.
void useKernels(const KernelTable* table);

// The emulation of pairwise 16-bit saturation on the layout that the table of this ISA reads.
Saturating16Kernel saturating16For(Isa isa);

// The kernels of the error profile: the widest floating-point vectors that come with an ISA.
const ProfileKernels& profileKernelsFor(Isa isa);

// Winograd's convolution in float32; null where this processor has no kernels for it.
const WinogradKernels* winogradKernels();

}  // namespace faultline
