// The convolution of a batch of small images as matrix products in which a row block is one output pixel of 16 samples;
// conv2d.cpp is its only caller.
//
// All rows of such a product see the same taps of their windows. Those that lie in the padding are left out, which takes
// 31 % off the multiply-adds of a 3×3 window on 4×4 images, 16 % on 8×8; the padding itself is left out of the images.
// And the rows lie a constant number of bytes apart: nothing is gathered.
#pragma once

#include "ops/conv_image.h"

namespace faultline {

// How many samples to quantize at a time for this way; 0 where another is better for a thread with `samples` of them.
int64_t samplesAcross(const Conv2dDynamicArgs& args, const ConvGeometry& geometry, int64_t samples);

// Computes all outputs of a batch, whose images have no padding in directions in which taps can be left out
// (ConvGeometry::leaveOutPadding).
void multiplyAcrossSamples(const Conv2dDynamicArgs& args, const ImageBatch& batch);

}  // namespace faultline
