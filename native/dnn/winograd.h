// Convolutions of 3×3 at stride 1 by Winograd's algorithm (kernels/winograd_kernels.h), block of tiles by block of
// tiles: nothing is reordered, and what a block needs stays in the cache.
//
// Errors are some 1e-5 of the largest result. For training.
#pragma once

#include <cstdint>

#include "dnn/geometry.h"

namespace faultline::dnn {

// Whether the algorithm fits these and pays, on this processor.
bool suitsWinograd(const ConvGeometry& g);

// y = x ∗ w (+ bias [M]); bias may be null. No result depends on the number of threads.
void winogradForward(const ConvGeometry& g, const float* x, const float* w, const float* bias, float* y);
void winogradBackwardData(const ConvGeometry& g, const float* dy, const float* w, float* dx);
// db [M] may be null.
void winogradBackwardWeights(const ConvGeometry& g, const float* x, const float* dy, float* dw, float* db);

}  // namespace faultline::dnn
