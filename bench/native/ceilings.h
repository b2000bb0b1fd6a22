// What this machine can do at most: arithmetic peaks from registers, and the rate at which each cache level is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline::bench {

struct Ceiling {
  // "amxInt8", "avx512VnniInt8", "avx2Int8", "avx2Int4", "fmaFp32", "readL1", "readL2", "readL3", "readDram"
  std::string name;
  std::string unit;  // "GOPS" or "GB/s", both of all threads together
  double value;
  int threads;
};

// Bytes of one core's L1 data cache and L2, and of the L3 it shares; typical figures where the system does not report
// them.
struct CacheSizes {
  size_t l1, l2, l3;
};
CacheSizes cacheSizes();

std::vector<Ceiling> measureCeilings(int threads, double secondsEach);

// Loops of independent instructions of one kind. The instruction-set files below each provide theirs as plain data:
// they are compiled for processors that this one may not be, so no inline library code may come out of them.
struct PeakLoop {
  const char* name;
  double opsPerIteration;  // a multiply-add counts as two
  void (*run)(int64_t iterations);
};
struct PeakLoops {
  const PeakLoop* loops;
  int count;
};
PeakLoops avx2Peaks();
PeakLoops avx512Peaks();
PeakLoops amxPeaks();

// Reads `bytes` (a multiple of 512) and returns something that depends on all of them.
uint64_t avx2Read(const void* data, size_t bytes);
uint64_t avx512Read(const void* data, size_t bytes);

}  // namespace faultline::bench
