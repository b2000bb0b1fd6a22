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
  std::string isa;
  int threads = 1;
  std::function<void()> run;
  std::function<std::string()> check;  // after one run(): empty when the result is right
  bool foreignThreads = false;         // owns a thread pool that keeps spinning after run()
};

struct Effort {
  double batchSeconds;  // calls are repeated until they take this long together
  int rounds;           // at most, A B C A B C …
  int minRounds;
  double budgetSeconds;  // of one problem; fewer rounds, never less than minRounds, keep within it
};
inline constexpr Effort kFullEffort{0.010, 15, 5, 3.0};
inline constexpr Effort kQuickEffort{0.002, 5, 3, 0.25};

struct Timing {
  double medianSeconds = 0;  // of one call, over rounds
  double minSeconds = 0;
  int rounds = 0;
  int calls = 0;  // a round
};

double now();  // seconds, monotonic

// Times all candidates interleaved. Of several with the same impl and threads only the one that calibrates fastest is
// kept: `candidates` loses the others.
std::vector<Timing> measure(std::vector<Candidate>& candidates, const Effort& effort);

}  // namespace faultline::bench
