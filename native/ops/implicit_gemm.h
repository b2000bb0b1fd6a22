// The convolution as a matrix product on quantized images, without an im2col of the image; conv2d.cpp is its only
// caller.
//
// Two ways to hand a block of 16 output pixels to a kernel:
//   direct    its rows are read where they lie: pixels of one output row are a constant stride apart in the image, and
//             every k-block of 64 lies inside one contiguous run of it
//   gathered  its rows are copied, kernel row by kernel row, into a chunk that stays in the second-level cache
#pragma once

#include "ops/conv_image.h"
#include "ops/schedule.h"

namespace faultline {

// Computes output pixels `pixels` of the batch (counted through all its samples, [count · outH · outW]) for the weight
// panels `panels` (counted through all groups).
void multiplyImages(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& pixels, const Slice& panels);

// Whether the shape of the output lets rows be read directly.
bool readsInPlace(const ConvGeometry& geometry);

// Sets a product's outputs and epilogue, from element `index` of the output and `channel` on.
void setOutputs(const Conv2dDynamicArgs& args, int64_t channel, int64_t index, GemmCall* call);

}  // namespace faultline
