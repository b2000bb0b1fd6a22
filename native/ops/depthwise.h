// Depthwise convolution; conv2d.cpp is its only caller.
#pragma once

#include "ops/conv_image.h"
#include "ops/schedule.h"

namespace faultline {

// Computes output rows `rows` of the batch, counted through all its samples ([count · outH]), from the samples
// themselves and the batch's parameters: rows are quantized when the window reaches them, without images.
void convolveDepthwise(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& rows);

}  // namespace faultline
