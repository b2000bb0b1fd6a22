// Products of float32 matrices, one or a batch: c = op(a) · op(b) (+ bias), op being nothing or a transposition.
#pragma once

#include <cstdint>

namespace faultline::dnn {

struct MatmulShape {
  int64_t batch;          // products; a or b may have a single matrix for all of them
  int64_t m, n, k;        // op(a): [m, k], op(b): [k, n], c: [m, n]
  bool transA, transB;    // stored as [k, m], [n, k]
  bool sharedA, sharedB;  // one matrix for the whole batch

  bool operator==(const MatmulShape&) const = default;
};

// bias: [n] or null. Gradients of weights (a transposed) have the same bits on any number of threads.
void matmul(const MatmulShape& shape, const float* a, const float* b, const float* bias, float* c);

}  // namespace faultline::dnn
