// Operations on the rows of a float32 matrix: softmax, layer normalization, cross-entropy, look-up by row.
#pragma once

#include <cstdint>

namespace faultline {

// y[r] = softmax(x[r]), x: [rows, n].
void softmax(int64_t rows, int64_t n, const float* x, float* y);
// dx = y · (dy − Σ y · dy)
void softmaxBackward(int64_t rows, int64_t n, const float* y, const float* dy, float* dx);

// y = (x − mean) / √(variance + epsilon) · scale + shift, over each row (Ba, Kiros & Hinton, arXiv 1607.06450).
// mean and inverse (1 / √…), [rows] each, are kept for the backward pass; shift may be null.
void layerNorm(int64_t rows, int64_t n, float epsilon, const float* x, const float* scale, const float* shift, float* y,
               float* mean, float* inverse);
// dScale, dShift: [n].
void layerNormBackward(int64_t rows, int64_t n, const float* x, const float* scale, const float* mean,
                       const float* inverse, const float* dy, float* dx, float* dScale, float* dShift);

struct CrossEntropy {
  double loss;      // mean over the rows
  int64_t correct;  // rows whose largest logit is the label's (the first of equals)
};
// Cross-entropy of softmax(x) against targets (1 − smoothing) · one-hot + smoothing / n; labels in [0, n).
// dx: its gradient, (softmax − target) / rows; may be null.
CrossEntropy crossEntropy(int64_t rows, int64_t n, const float* x, const int32_t* labels, float smoothing, float* dx);

// y[o, i, :] = x[o, index[i], :]; x: [outer, axis, inner], y: [outer, count, inner].
void gather(int64_t outer, int64_t axis, int64_t inner, int64_t count, const int32_t* index, const float* x, float* y);
// dx[o, index[i], :] += dy[o, i, :], in order of i. dx is cleared first.
void gatherBackward(int64_t outer, int64_t axis, int64_t inner, int64_t count, const int32_t* index, const float* dy,
                    float* dx);

}  // namespace faultline
