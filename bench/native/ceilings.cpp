// Chooses the loops this processor can run, and times them on all threads at once.
#include "ceilings.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "core/aligned.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "measure.h"

namespace faultline::bench {
namespace {

constexpr size_t kReadUnit = 512;
constexpr double kBatchSeconds = 0.0005;
constexpr int kMinRepeats = 3;

// Size of the cache that CPU 0 sees at this index of the kernel's list (0: L1 data, 2: L2, 3: L3), "32768K". sysconf
// would add up the L3 of every die.
size_t cacheSize(int index, size_t otherwise) {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
  size_t size = 0;
  char unit = 0;
  if (!(file >> size >> unit) || size == 0) return otherwise;
  return unit == 'M' ? size << 20 : size << 10;
}

// The largest of many short measurements: a ceiling is what is possible, not what is usual, and a short one is more
// likely to have the machine to itself.
template <typename Fn>
double bestRate(int threads, double secondsEach, double workPerCall, Fn&& fn) {
  fn(0);
  const double begin = now();
  fn(0);
  const double once = std::max(now() - begin, 1e-9);
  const auto calls = static_cast<int64_t>(std::ceil(kBatchSeconds / once));
  double best = 0;
  int repeats = 0;
  for (double start = now(), end = start + secondsEach; start < end || repeats < kMinRepeats; ++repeats) {
    parallel(threads, [&](int t, int) {
      for (int64_t i = 0; i < calls; ++i) fn(t);
    });
    const double seconds = now() - start;
    best = std::max(best, workPerCall * static_cast<double>(calls) * threads / seconds);
    start += seconds;
  }
  return best;
}

uint64_t plainRead(const void* data, size_t bytes) {
  const auto* words = static_cast<const uint64_t*>(data);
  uint64_t sums[8] = {};
  for (size_t i = 0; i < bytes / sizeof(uint64_t); i += 8) {
    for (size_t j = 0; j < 8; ++j) sums[j] += words[i + j];
  }
  return sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
}

auto chooseRead() {
#if defined(__x86_64__)
  if (cpuHas(Isa::avx512vnni)) return avx512Read;
  if (cpuHas(Isa::avx2)) return avx2Read;
#endif
  return plainRead;
}

std::vector<PeakLoop> choosePeaks() {
  std::vector<PeakLoop> loops;
#if defined(__x86_64__)
  const auto append = [&](PeakLoops more) { loops.insert(loops.end(), more.loops, more.loops + more.count); };
  if (cpuHas(Isa::amxInt8)) append(amxPeaks());
  if (cpuHas(Isa::avx512vnni)) append(avx512Peaks());
  if (cpuHas(Isa::avx2)) append(avx2Peaks());
#endif
  return loops;
}

}  // namespace

CacheSizes cacheSizes() { return {cacheSize(0, 32u << 10), cacheSize(2, 1u << 20), cacheSize(3, 32u << 20)}; }

std::vector<Ceiling> measureCeilings(int threads, double secondsEach) {
  constexpr int64_t kIterations = 500;
  std::vector<Ceiling> ceilings;
  for (const PeakLoop& loop : choosePeaks()) {
    const bool seen =
        std::any_of(ceilings.begin(), ceilings.end(), [&](const Ceiling& c) { return c.name == loop.name; });
    if (seen) continue;  // fp32 FMA: the widest vectors came first
    const double rate =
        bestRate(threads, secondsEach, loop.opsPerIteration * kIterations, [&](int) { loop.run(kIterations); });
    ceilings.push_back({loop.name, "GOPS", rate * 1e-9, threads});
  }

  // Half of L1 and L2, so that nothing else evicts the data. L3 is shared, often with other virtual machines: the
  // geometric mean of L2 and L3 is well past the one and well inside the other. DRAM: four times L3.
  const CacheSizes sizes = cacheSizes();
  const auto l3Bytes = static_cast<size_t>(std::sqrt(static_cast<double>(sizes.l2) * static_cast<double>(sizes.l3)));
  const size_t dramBytes = std::min<size_t>(4 * sizes.l3, 512u << 20) / static_cast<size_t>(threads);
  const std::pair<const char*, size_t> levels[] = {
      {"readL1", sizes.l1 / 2}, {"readL2", sizes.l2 / 2}, {"readL3", l3Bytes}, {"readDram", dramBytes}};
  const auto read = chooseRead();
  for (const auto& [name, expected] : levels) {
    const size_t bytes = expected / kReadUnit * kReadUnit;
    std::vector<AlignedBuffer<uint8_t>> buffers;
    for (int t = 0; t < threads; ++t) {
      buffers.emplace_back(bytes);
      std::memset(buffers.back().data(), 1, bytes);  // real pages, not the shared zero page
    }
    const double rate = bestRate(threads, secondsEach, static_cast<double>(bytes), [&](int t) {
      volatile uint64_t sink = read(buffers[static_cast<size_t>(t)].data(), bytes);
      static_cast<void>(sink);
    });
    ceilings.push_back({name, "GB/s", rate * 1e-9, threads});
  }
  return ceilings;
}

}  // namespace faultline::bench
