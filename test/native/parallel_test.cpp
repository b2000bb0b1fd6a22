// Parallel regions: every thread runs once, and what one of them throws reaches the caller.
#include "core/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>

using namespace faultline;

TEST_CASE("a parallel region runs each thread once") {
  std::atomic<int> calls{0}, sum{0}, count{0};
  parallel(3, [&](int thread, int threadCount) {
    ++calls;
    sum += thread;
    count = threadCount;
  });
  CHECK(calls == count);
  CHECK(sum == count * (count - 1) / 2);
}

TEST_CASE("an exception in a parallel region reaches the caller, and the other threads end") {
  for (int thrower = 0; thrower < 2; ++thrower) {
    std::atomic<int> ended{0}, count{0};
    CHECK_THROWS_AS(parallel(2,
                             [&](int thread, int threadCount) {
                               count = threadCount;
                               if (thread == thrower % threadCount) throw std::bad_alloc();
                               ++ended;
                             }),
                    std::bad_alloc);
    CHECK(ended == count - 1);
  }
}
