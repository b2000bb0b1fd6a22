// Fake quantization for training: float32 values as the integer kernels would see them after dequantization, and the
// gradient of that by the straight-through estimator.
#pragma once

#include <cstdint>

namespace faultline {

// x: [rows, n], each row cut into groups of `block` elements (the last may be shorter), each with a range.
struct FakeQuantShape {
  int64_t rows = 1;
  int64_t n = 1;
  int64_t block = 1;
  int64_t perRow() const { return (n + block - 1) / block; }
  int64_t groups() const { return rows * perRow(); }
};

// What the backward pass needs of each group, as float32 and int32 arrays.
struct FakeQuantRanges {
  float* range = nullptr;  // [groups] scale · number of steps: the width that the codes cover (half, if symmetric)
  int32_t* extremes =
      nullptr;  // [groups][2] elements of the group that set the range from below and from above; none outside of it
};

// y = scale · (q − zeroPoint), with the codes of quant/affine.h: asymmetric unsigned, or symmetric signed. `bits` for
// all, or groupBits [groups]. Groups with NaN or infinity become NaN.
void fakeQuantize(const FakeQuantShape& shape, bool symmetric, int bits, const uint8_t* groupBits, const float* x,
                  float* y, const FakeQuantRanges& ranges);

// Straight-through: dx = dy, and Σ dy · (y − x) / range of each group is added at the element that sets its range from
// above, subtracted at the one from below. dx may be dy.
void fakeQuantizeBackward(const FakeQuantShape& shape, const FakeQuantRanges& ranges, const float* x, const float* y,
                          const float* dy, float* dx);

}  // namespace faultline
