// Threads: how many this process may use, and a parallel region over them (OpenMP, shared with oneDNN).
#pragma once

#include <exception>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace faultline {

// CPUs in the affinity mask, at least 1.
int cpusByAffinity();
// CPUs' worth of time granted by the cgroup quota (v1 and v2, the tightest on the way to the root); 0 without a quota.
double cpusByQuota();
// What both allow, rounded up, at least 1. Read once.
int allowedCpus();
// More threads than this compute nothing sooner; each costs memory, and a system that refuses one ends the process.
int mostThreads();
// The default for every operation: OMP_NUM_THREADS when set, but at most mostThreads(), else allowedCpus().
// setThreads(0) restores it.
int threads();
void setThreads(int count);

// Runs fn(thread, threadCount) on at most `count` threads; the caller is thread 0. Where threads throw (memory may run
// out), the others still end, and the caller gets one of the exceptions. Without OpenMP (the fuzzers) on one thread.
template <typename Fn>
void parallel(int count, Fn&& fn) {
  if (count <= 1) {
    fn(0, 1);
    return;
  }
#ifdef _OPENMP
  std::exception_ptr thrown;  // nothing may leave the region
#pragma omp parallel num_threads(count)
  try {
    fn(omp_get_thread_num(), omp_get_num_threads());
  } catch (...) {
#pragma omp critical(faultlineThrown)
    thrown = std::current_exception();
  }
  if (thrown) std::rethrow_exception(thrown);
#else
  fn(0, 1);
#endif
}

}  // namespace faultline
