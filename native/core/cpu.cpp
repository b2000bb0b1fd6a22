#include "core/cpu.h"

#include <array>
#include <cstdint>
#include <fstream>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

// Tests define this, and nothing else does: it makes AMX instructions executable on a processor without them. Weak, so
// that a preloaded library provides it to the addon just as a linked file does to a C++ test.
extern "C" [[gnu::weak, gnu::visibility("default")]] bool faultlineProvideAmx();

namespace faultline {
namespace {

constexpr std::array<std::string_view, kIsaCount> kNames = {"scalar",   "avx2",         "avx512vnni",
                                                            "amx_int8", "neon_dotprod", "neon_i8mm"};

struct Features {
  std::array<bool, kIsaCount> has{};
  bool emulatesAmx = false;
};

#if defined(__x86_64__)

uint64_t xgetbv0() {
  uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (uint64_t{hi} << 32) | lo;
}

// XCR0 bits: which register files the operating system saves.
constexpr uint64_t kXcr0Ymm = 0x6;         // xmm, ymm
constexpr uint64_t kXcr0Zmm = 0xe6;        // and opmask, zmm
constexpr uint64_t kXcr0Tile = 0x60000;    // XTILECFG, XTILEDATA
constexpr int kArchReqXcompPerm = 0x1023;  // arch_prctl(ARCH_REQ_XCOMP_PERM)
constexpr int kXfeatureTileData = 18;

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
Leaf cpuid(uint32_t leaf, uint32_t subleaf) {
  Leaf r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}
constexpr bool bit(uint32_t word, int i) { return (word >> i) & 1; }

Features detect() {
  Features f;
  auto& has = f.has;
  has[static_cast<int>(Isa::scalar)] = true;
  const Leaf one = cpuid(1, 0);
  if (!bit(one.ecx, 27)) return f;  // OSXSAVE
  const uint64_t xcr0 = xgetbv0();
  const Leaf seven = cpuid(7, 0);
  const bool fma = bit(one.ecx, 12);
  has[static_cast<int>(Isa::avx2)] = fma && bit(seven.ebx, 5) && (xcr0 & kXcr0Ymm) == kXcr0Ymm;
  const bool avx512 = bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) && bit(seven.ebx, 31);
  has[static_cast<int>(Isa::avx512vnni)] =
      has[static_cast<int>(Isa::avx2)] && avx512 && bit(seven.ecx, 11) && (xcr0 & kXcr0Zmm) == kXcr0Zmm;
  const bool amx = bit(seven.edx, 24) && bit(seven.edx, 25) && (xcr0 & kXcr0Tile) == kXcr0Tile;
  const bool real = has[static_cast<int>(Isa::avx512vnni)] && amx &&
                    syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
  f.emulatesAmx = !real && has[static_cast<int>(Isa::avx512vnni)] && faultlineProvideAmx && faultlineProvideAmx();
  has[static_cast<int>(Isa::amxInt8)] = real || f.emulatesAmx;
  return f;
}

#elif defined(__aarch64__)

Features detect() {
  Features f;
  auto& has = f.has;
  has[static_cast<int>(Isa::scalar)] = true;
  constexpr unsigned long kHwcapAsimdDp = 1ul << 20;
  constexpr unsigned long kHwcap2I8mm = 1ul << 13;
  has[static_cast<int>(Isa::neonDotprod)] = (getauxval(AT_HWCAP) & kHwcapAsimdDp) != 0;
  has[static_cast<int>(Isa::neonI8mm)] =
      has[static_cast<int>(Isa::neonDotprod)] && (getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0;
  return f;
}

#else

Features detect() { return {{true}}; }

#endif

const Features& features() {
  static const Features detected = detect();
  return detected;
}

}  // namespace

std::string_view isaName(Isa isa) { return kNames[static_cast<int>(isa)]; }

bool isaFromName(std::string_view name, Isa* isa) {
  for (int i = 0; i < kIsaCount; ++i) {
    if (kNames[i] == name) {
      *isa = static_cast<Isa>(i);
      return true;
    }
  }
  return false;
}

bool cpuHas(Isa isa) { return features().has[static_cast<int>(isa)]; }
bool cpuEmulates(Isa isa) { return isa == Isa::amxInt8 && features().emulatesAmx; }

std::string cpuModelName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0 || line.rfind("CPU part", 0) == 0) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

}  // namespace faultline
