// Elementwise float32 operations: functions of one array with their gradients, sums and products of two that broadcast,
// sums that undo a broadcast, and copies from anywhere to anywhere.
#pragma once

#include <cstdint>

#include "abi/codes.h"

namespace faultline {

// p and q are the function's parameters; see Unary.
void unary(Unary function, float p, float q, int64_t count, const float* x, float* y);
// dx = dy · f'(x); dx may be dy. y is f(x). scale: y = p · x + q.
void unaryBackward(Unary function, float p, float q, int64_t count, const float* x, const float* y, const float* dy,
                   float* dx);

// A walk over up to eight axes; an operand's stride, in elements, is 0 along an axis that it broadcasts over.
struct Walk {
  int rank;
  int64_t dims[kMaxAxes];
};
// y = f(a, b), y contiguous.
void binary(Binary function, const Walk& walk, const int64_t* aStrides, const int64_t* bStrides, const float* a,
            const float* b, float* y);
// y[…] = factor · Σ x over the axes along which y's stride is 0; x contiguous. y has `size` elements. Sums in float64.
void reduceSum(const Walk& walk, const int64_t* yStrides, double factor, const float* x, int64_t size, float* y);
// y[yStart + …] = x[xStart + …], or += with accumulate; no element of y may be met twice without accumulate.
void copyStrided(const Walk& walk, const int64_t* xStrides, int64_t xStart, const int64_t* yStrides, int64_t yStart,
                 bool accumulate, const float* x, float* y);
// y += factor · x
void addScaled(int64_t count, float factor, const float* x, float* y);
// The first index of a value that is NaN or infinite, or −1.
int64_t firstNonFinite(int64_t count, const float* x);

}  // namespace faultline
