// Convolution without the taps that lie in the padding, which are 31 % of the multiply-adds of a 3×3 window on 4×4
// images, 16 % on 8×8 and 9 % on 14×14; conv2d.cpp is its only caller.
//
// Products whose rows have their taps in common:
//   across samples  a row block is one output pixel of 16 samples. Images have no padding at all.
//   along rows      the rows are the pixels of one output row of a sample. Only the first and the last may lack columns
//                   of the window, which kernels need not leave out (PaddedEdge). Images are padded at the sides.
// Either way the rows lie a constant number of bytes apart, so that nothing is gathered.
#pragma once

#include "ops/conv_image.h"
#include "ops/schedule.h"

namespace faultline {

enum class InsideTaps { no, acrossSamples, alongRows };

struct InsideTapsPlan {
  InsideTaps way = InsideTaps::no;
  int64_t samples = 0;  // to quantize at a time, across samples
};

// For a convolution of which every thread has `samples` samples, or less than one.
InsideTapsPlan planInsideTaps(const Conv2dDynamicArgs& args, const ConvGeometry& geometry, int64_t samples);

// Gives images the padding that is left.
void leaveOutPadding(const Conv2dDynamicArgs& args, InsideTaps way, ConvGeometry* geometry);

// Computes output pixels `pixels` of the batch (counted through all its samples; across samples it is all of them) for
// the weight panels `panels` (counted through all groups).
void multiplyInsideTaps(const Conv2dDynamicArgs& args, InsideTaps way, const ImageBatch& batch, const Slice& pixels,
                        const Slice& panels);

}  // namespace faultline
