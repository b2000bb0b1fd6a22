// Remembers the smallest index (row, sample) that an operation has to refuse, across threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace faultline {

class FirstBad {
 public:
  void report(int64_t index) {
    int64_t seen = index_.load(std::memory_order_relaxed);
    while (index < seen && !index_.compare_exchange_weak(seen, index, std::memory_order_relaxed)) {
    }
  }
  bool any() const { return index() != kNone; }
  int64_t index() const { return index_.load(std::memory_order_relaxed); }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> index_{kNone};
};

}  // namespace faultline
