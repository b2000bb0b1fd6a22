#include "core/parallel.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace faultline {
namespace {

// cpu.max holds "quota period" in µs, or "max period". 0 when absent or unlimited.
double quotaOf(const std::string& cgroup) {
  std::ifstream file("/sys/fs/cgroup" + cgroup + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::atof(quota.c_str()) / period;
}

// The path of this process in the unified hierarchy ("0::/a/b"), without a slash at the end.
std::string ownCgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::", 0) == 0) return line.size() > 4 ? line.substr(3) : "";
  }
  return "";
}

// How many threads can be started at once, up to `count`: where memory or processes are short, OpenMP would end the
// process, with the code of a verdict. Of fewer than asked for, half are left to everything else.
int startable(int count) {
  std::vector<std::thread> others;
  others.reserve(static_cast<size_t>(count - 1));
  std::mutex gate;
  {
    const std::lock_guard<std::mutex> closed(gate);
    try {
      while (static_cast<int>(others.size()) < count - 1) {
        others.emplace_back([&gate] { const std::lock_guard<std::mutex> passed(gate); });
      }
    } catch (const std::system_error&) {
    }
  }
  for (std::thread& other : others) other.join();
  const int started = static_cast<int>(others.size()) + 1;
  return started == count ? count : std::max(1, started / 2);
}

int defaultThreads() {
  const char* env = std::getenv("OMP_NUM_THREADS");
  const long requested = env ? std::strtol(env, nullptr, 10) : 0;
  const long count = requested > 0 ? std::min<long>(requested, mostThreads()) : allowedCpus();
  return startable(static_cast<int>(count));
}

std::atomic<int> chosen{0};

}  // namespace

int cpusByAffinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

double cpusByQuota() {
  double tightest = 0;
  for (std::string path = ownCgroup();; path.resize(path.rfind('/'))) {
    const double quota = quotaOf(path);
    if (quota > 0 && (tightest == 0 || quota < tightest)) tightest = quota;
    if (path.empty()) break;
  }
  if (tightest > 0) return tightest;
  std::ifstream quotaV1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream periodV1("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quotaV1 >> quota && periodV1 >> period && quota > 0 && period > 0 ? quota / period : 0;
}

int allowedCpus() {
  static const int cpus = [] {
    const double quota = cpusByQuota();
    const int affinity = cpusByAffinity();
    return quota > 0 ? std::clamp(static_cast<int>(std::ceil(quota)), 1, affinity) : affinity;
  }();
  return cpus;
}

int mostThreads() {
  constexpr int kLeast = 64;  // so that tests of many threads run anywhere
  static const int most = std::max(kLeast, 2 * static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  return most;
}

int threads() {
  const int set = chosen.load(std::memory_order_relaxed);
  static const int byDefault = defaultThreads();
  return set > 0 ? set : byDefault;
}

void setThreads(int count) { chosen.store(count, std::memory_order_relaxed); }

}  // namespace faultline
