#include "measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "core/parallel.h"

namespace faultline::bench {
namespace {

// Thread pools spin for a while after a parallel call, hoping for the next one. On a machine with as many runners as
// CPUs that would slow down the next measurement, so each starts from rest: libgomp gives up after 300,000
// pauses, ONNX Runtime after 2^20 (both a few ms to tens of ms, by the length of a pause).
constexpr auto kOpenMpRest = std::chrono::milliseconds(15);
constexpr auto kForeignRest = std::chrono::milliseconds(60);
constexpr int kCalibrationRuns = 3;

void useThreads(int count) {
  setThreads(count);           // faultline
  omp_set_num_threads(count);  // oneDNN
}

// Time until the threads that this candidate leaves behind are idle.
std::chrono::milliseconds restAfter(const Candidate& c) {
  if (c.threads == 1) return std::chrono::milliseconds(0);
  return c.foreignThreads ? kForeignRest : kOpenMpRest;
}

double timeCalls(const Candidate& c, int calls) {
  const double begin = now();
  for (int i = 0; i < calls; ++i) c.run();
  return (now() - begin) / calls;
}

double calibrate(const Candidate& c) {
  useThreads(c.threads);
  c.run();
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCalibrationRuns; ++i) best = std::min(best, timeCalls(c, 1));
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<Timing> measure(std::vector<Candidate>& candidates, const Effort& effort) {
  std::vector<Candidate> kept;
  std::vector<double> seconds;
  for (Candidate& c : candidates) {
    const double time = calibrate(c);
    std::this_thread::sleep_for(restAfter(c));
    const auto rival = std::find_if(kept.begin(), kept.end(),
                                    [&](const Candidate& k) { return k.impl == c.impl && k.threads == c.threads; });
    if (rival == kept.end()) {
      kept.push_back(std::move(c));
      seconds.push_back(time);
    } else if (double& best = seconds[static_cast<size_t>(rival - kept.begin())]; time < best) {
      *rival = std::move(c);
      best = time;
    }
  }
  candidates = std::move(kept);

  std::vector<Timing> timings(candidates.size());
  double roundSeconds = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    timings[i].calls = std::max(1, static_cast<int>(std::ceil(effort.batchSeconds / seconds[i])));
    roundSeconds +=
        seconds[i] * (timings[i].calls + 1) + std::chrono::duration<double>(restAfter(candidates[i])).count();
  }
  const int rounds = std::clamp(static_cast<int>(effort.budgetSeconds / roundSeconds), effort.minRounds, effort.rounds);

  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      useThreads(candidates[i].threads);
      candidates[i].run();  // brings its weights and buffers back into the caches, wakes its threads
      timings[i].roundSeconds.push_back(timeCalls(candidates[i], timings[i].calls));
      std::this_thread::sleep_for(restAfter(candidates[i]));
    }
  }
  for (Timing& t : timings) t.medianSeconds = median(t.roundSeconds);
  return timings;
}

}  // namespace faultline::bench
