// faultline_bench: measures the jobs on standard input and prints one JSON object a line on standard output. The
// program `faultline bench kernels` runs it, and gives its options:
//
//   --onnxruntime FILE   the library to compare with; without it, it is not compared
//   --ceilings N         measure the machine's ceilings with N threads (may be repeated)
//   --quick              less time for each measurement
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "ceilings.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "implementations.h"
#include "json_line.h"
#include "measure.h"
#include "plan.h"

namespace faultline::bench {
namespace {

struct Options {
  std::string onnxRuntime;
  std::vector<int> ceilings;
  bool quick = false;
};

constexpr double kCeilingSeconds = 0.25;
constexpr double kQuickCeilingSeconds = 0.05;

int fail(const std::string& message) {
  std::fprintf(stderr, "faultline_bench: %s\n", message.c_str());
  return 2;
}

void printMachine() {
  const CacheSizes caches = cacheSizes();
  JsonLine("machine")
      .add("cpu", cpuModelName())
      .add("isa", isaName(kernels().isa))
      .add("cpus", allowedCpus())
      .add("l1Bytes", static_cast<double>(caches.l1))
      .add("l2Bytes", static_cast<double>(caches.l2))
      .add("l3Bytes", static_cast<double>(caches.l3))
      .add("onednn", onednnVersion())
      .add("onednnIsa", onednnIsa())
      .add("onnxruntime", onnxRuntimeVersion())
      .print();
}

void printCeilings(const Options& options) {
  const double seconds = options.quick ? kQuickCeilingSeconds : kCeilingSeconds;
  for (const int threads : options.ceilings) {
    for (const Ceiling& c : measureCeilings(threads, seconds)) {
      JsonLine("ceiling")
          .add("name", c.name)
          .add("unit", c.unit)
          .add("value", c.value)
          .add("threads", c.threads)
          .print();
    }
  }
}

void printFailure(int64_t job, const Candidate& c, const std::string& reason) {
  JsonLine("failure")
      .add("job", static_cast<double>(job))
      .add("impl", c.impl)
      .add("variant", c.variant)
      .add("threads", c.threads)
      .add("reason", reason)
      .print();
}

void runJob(int64_t index, const Job& job, const Effort& effort) {
  const Problem problem = makeProblem(job);
  Notes notes;
  std::vector<Candidate> candidates;
  for (const int threads : job.threads) {
    setThreads(threads);
    addFaultline(problem, threads, &candidates, &notes);
    addOnednn(problem, threads, &candidates, &notes);
    addOnnxRuntime(problem, threads, &candidates, &notes);
  }
  for (const std::string& note : notes) {
    JsonLine("note").add("job", static_cast<double>(index)).add("text", note).print();
  }

  // Right first, then fast: a wrong result is reported and never timed.
  std::erase_if(candidates, [&](const Candidate& c) {
    setThreads(c.threads);
    omp_set_num_threads(c.threads);
    std::string complaint;
    try {
      c.run();
      complaint = c.check();
    } catch (const std::exception& e) {
      complaint = e.what();
    }
    if (!complaint.empty()) printFailure(index, c, complaint);
    return !complaint.empty();
  });

  const std::vector<Timing> timings = measure(candidates, effort);
  const double ops = 2.0 * static_cast<double>(job.shape.macs());
  for (size_t i = 0; i < candidates.size(); ++i) {
    std::vector<double> roundsUs;
    for (const double seconds : timings[i].roundSeconds) roundsUs.push_back(seconds * 1e6);
    JsonLine("row")
        .add("job", static_cast<double>(index))
        .add("impl", candidates[i].impl)
        .add("variant", candidates[i].variant)
        .add("kernel", candidates[i].kernel)
        .add("isa", candidates[i].isa)
        .add("threads", candidates[i].threads)
        .add("medianUs", timings[i].medianSeconds * 1e6)
        .add("roundsUs", roundsUs)
        .add("calls", timings[i].calls)
        .add("gops", ops / timings[i].medianSeconds * 1e-9)
        .print();
  }
  JsonLine("done").add("job", static_cast<double>(index)).print();
}

bool parseOptions(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--quick") {
      options->quick = true;
    } else if (name == "--onnxruntime" && i + 1 < argc) {
      options->onnxRuntime = argv[++i];
    } else if (name == "--ceilings" && i + 1 < argc) {
      options->ceilings.push_back(std::max(1, std::atoi(argv[++i])));
    } else {
      return false;
    }
  }
  return true;
}

int run(int argc, char** argv) {
  Options options;
  if (!parseOptions(argc, argv, &options)) return fail("expected --onnxruntime FILE, --ceilings N or --quick");
  if (!dispatchStatus()) return fail(dispatchStatus().message());

  std::vector<Job> jobs;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    const Status status = parseJob(line, &jobs.emplace_back());
    if (!status) return fail(status.message());
  }

  if (!options.onnxRuntime.empty()) {
    const std::string reason = openOnnxRuntime(options.onnxRuntime);
    if (!reason.empty()) JsonLine("note").add("text", "onnxruntime: " + reason).print();
  }
  printMachine();
  printCeilings(options);
  const Effort& effort = options.quick ? kQuickEffort : kFullEffort;
  for (size_t i = 0; i < jobs.size(); ++i) runJob(static_cast<int64_t>(i), jobs[i], effort);
  // Once more: a neighbour on the machine may have held them down the first time. The higher figure counts.
  if (!jobs.empty()) printCeilings(options);
  return 0;
}

}  // namespace
}  // namespace faultline::bench

int main(int argc, char** argv) { return faultline::bench::run(argc, argv); }
