#include "dispatch/dispatch.h"

#include <atomic>
#include <cstdlib>

namespace faultline {
namespace {

const KernelTable* compiled(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return scalarKernels();
#if defined(__x86_64__)
    case Isa::avx2:
      return avx2Kernels();
    case Isa::avx512vnni:
      return avx512vnniKernels();
    case Isa::amxInt8:
      return amxInt8Kernels();
#elif defined(__aarch64__)
    case Isa::neonDotprod:
      return neonDotprodKernels();
    case Isa::neonI8mm:
      return neonI8mmKernels();
#endif
    default:
      return nullptr;
  }
}

struct Choice {
  const KernelTable* table;
  Status status;
};

std::string availableNames() {
  std::string names;
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (isaAvailable(isa)) names += (names.empty() ? "" : ", ") + std::string(isaName(isa));
  }
  return names;
}

Choice choose() {
  const char* expected = std::getenv("FAULTLINE_ISA");
  if (expected != nullptr && *expected != '\0') {
    Isa isa;
    if (!isaFromName(expected, &isa) || kernelsFor(isa) == nullptr) {
      return {scalarKernels(), Status::invalid("dispatch", "FAULTLINE_ISA", "one of " + availableNames(),
                                               '"' + std::string(expected) + '"')};
    }
    return {kernelsFor(isa), Status::ok()};
  }
  const KernelTable* best = scalarKernels();
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (isaAvailable(isa) && !cpuEmulates(isa)) best = kernelsFor(isa);
  }
  return {best, Status::ok()};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

std::atomic<const KernelTable*> used{nullptr};

}  // namespace

bool isaCompiled(Isa isa) { return compiled(isa) != nullptr; }
bool isaAvailable(Isa isa) { return isaCompiled(isa) && cpuHas(isa); }
const KernelTable& kernels() {
  const KernelTable* table = used.load(std::memory_order_relaxed);
  return table ? *table : *choice().table;
}
const Status& dispatchStatus() { return choice().status; }
const KernelTable* kernelsFor(Isa isa) { return isaAvailable(isa) ? compiled(isa) : nullptr; }
void useKernels(const KernelTable* table) { used.store(table, std::memory_order_relaxed); }

Saturating16Kernel saturating16For(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
      return avx2Saturating16;
    case Isa::avx512vnni:
    case Isa::amxInt8:
      return avx512vnniSaturating16;
#endif
    default:
      return scalarSaturating16;
  }
}

const ProfileKernels& profileKernelsFor(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
      return avx2Profile;
    case Isa::avx512vnni:
    case Isa::amxInt8:
      return avx512vnniProfile;
#elif defined(__aarch64__)
    case Isa::neonDotprod:
    case Isa::neonI8mm:
      return neonDotprodProfile;
#endif
    default:
      return scalarProfile;
  }
}

const WinogradKernels* winogradKernels() {
#if defined(__x86_64__)
  if (cpuHas(Isa::avx512vnni)) return &avx512vnniWinograd;
#endif
  return nullptr;
}

}  // namespace faultline
