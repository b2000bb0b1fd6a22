// What this processor can do, and the names of the instruction sets that kernels exist for.
#pragma once

#include <string>
#include <string_view>

namespace faultline {

// From the most portable to the fastest within an architecture.
enum class Isa { scalar, avx2, avx512vnni, amxInt8, neonDotprod, neonI8mm };
inline constexpr int kIsaCount = 6;

std::string_view isaName(Isa isa);  // "scalar", "avx2", "avx512vnni", "amx_int8", "neon_dotprod", "neon_i8mm"
bool isaFromName(std::string_view name, Isa* isa);
// True when the processor AND the operating system allow it (XGETBV; for AMX also the per-process permission,
// which the first call requests).
bool cpuHas(Isa isa);
// For tests: true when cpuHas(isa) only because this process emulates the instructions (test/native/amx_emulator.h).
// Such an instruction set is used where it is named, and never chosen.
bool cpuEmulates(Isa isa);
std::string cpuModelName();

}  // namespace faultline
