// The depthwise product on quantized images; conv2d.cpp is its only caller.
#pragma once

#include "ops/conv_image.h"
#include "ops/schedule.h"

namespace faultline {

// Computes output rows `rows` of the batch, counted through all its samples ([count · outH]).
void multiplyDepthwise(const Conv2dDynamicArgs& args, const ImageBatch& batch, const Slice& rows);

}  // namespace faultline
