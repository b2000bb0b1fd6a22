#include "core/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

namespace faultline {
namespace {

int cpusByAffinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// CPUs granted by the cgroup quota, or 0 when there is no quota.
double cpusByQuota() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0) return std::atof(quota.c_str()) / period;
  std::ifstream v1Quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1Period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double q = 0;
  if (v1Quota >> q && v1Period >> period && q > 0 && period > 0) return q / period;
  return 0;
}

int defaultThreads() {
  const char* env = std::getenv("OMP_NUM_THREADS");
  const int wanted = env ? std::atoi(env) : 0;
  return wanted > 0 ? wanted : allowedCpus();
}

std::atomic<int> chosen{0};

}  // namespace

int allowedCpus() {
  static const int cpus = [] {
    const double quota = cpusByQuota();
    const int affinity = cpusByAffinity();
    return quota > 0 ? std::clamp(static_cast<int>(std::ceil(quota)), 1, affinity) : affinity;
  }();
  return cpus;
}

int threads() {
  const int set = chosen.load(std::memory_order_relaxed);
  static const int byDefault = defaultThreads();
  return set > 0 ? set : byDefault;
}

void setThreads(int count) { chosen.store(count, std::memory_order_relaxed); }

}  // namespace faultline
