// Sums over many samples, cut into slices by the shape alone: oneDNN would cut them by the number of threads, and each
// number would train another network. Every slice is summed by one thread, then slices are added in their order.
#pragma once

#include <omp.h>

#include <algorithm>

#include "core/aligned.h"
#include "core/parallel.h"
#include "dnn/engine.h"

namespace faultline::dnn {

// How many slices at most, where each but the first needs memory for a sum of `size` elements.
constexpr int64_t mostSlices(int64_t size) {
  constexpr int64_t kMostSlices = 16, kMostElements = int64_t{1} << 23;
  return std::clamp<int64_t>(1 + kMostElements / std::max<int64_t>(size, 1), 2, kMostSlices);
}

struct Slice {
  int64_t begin, size;
};
// Slice s of `slices` of [0, size); the first ones are longer by one.
inline Slice sliceOf(int64_t size, int64_t slices, int64_t s) {
  const int64_t shorter = size / slices, longer = size % slices;
  return {s * shorter + std::min(s, longer), shorter + (s < longer ? 1 : 0)};
}

// While it lives oneDNN uses one thread: for the primitives of slices, when they are made and when they run.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Attributes of primitives that other threads than their maker run: oneDNN's scratch memory belongs to a thread.
inline dnnl::primitive_attr sliceAttributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}
inline dnnl::memory sliceScratch(const Desc& desc) {
  struct SliceScratch;
  return over(desc, scratch<SliceScratch, char>(desc.get_size()));
}

// fn(s) for every slice, each on one thread.
template <typename Fn>
void overSlices(int64_t slices, Fn&& fn) {
  parallel(static_cast<int>(std::min<int64_t>(threads(), slices)), [&](int thread, int count) {
    for (int64_t s = thread; s < slices; s += count) fn(s);
  });
}

// sum[i] += parts[i] + parts[i + size] + …, in this order.
void addSlices(int64_t slices, int64_t size, const float* parts, float* sum);

}  // namespace faultline::dnn
