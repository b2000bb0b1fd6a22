// Timing of competing implementations: the one place that reads the clock.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace faultline::bench {

// One way to compute a problem, ready to run: weights packed, buffers allocated, outputs written on every run().
struct Candidate {
  std::string impl;     // "faultline", "onednn", "onnxruntime"
  std::string variant;  // what exactly runs: operand types, granularity, layout
  std::string kernel;   // the library's name for its kernel, where reported
  std::string isa;
  int threads = 1;
  std::function<void()> run;
  std::function<std::string()> check;  // after one run(): empty when the result is right
  bool foreignThreads = false;         // owns a thread pool that keeps spinning after run()
};

// Many short batches rather than a few long ones: what else runs on the machine then spoils few of them, and the median
// does not see those.
struct Effort {
  double batchSeconds;  // calls are repeated until they take this long together
  int rounds;           // at most, A B C A B C …
  int minRounds;
  double budgetSeconds;  // of one problem; fewer rounds, never less than minRounds, keep within it
};
inline constexpr Effort kFullEffort{0.001, 41, 5, 3.0};
inline constexpr Effort kQuickEffort{0.0005, 15, 3, 0.3};

struct Timing {
  double medianSeconds = 0;          // of one call, over rounds
  std::vector<double> roundSeconds;  // of one call, round by round: comparable between candidates
  int calls = 0;                     // a round
};

double now();  // seconds, monotonic

// Times all candidates interleaved. Of several with the same impl and threads only the one that calibrates fastest is
// kept: `candidates` loses the others.
std::vector<Timing> measure(std::vector<Candidate>& candidates, const Effort& effort);

}  // namespace faultline::bench
