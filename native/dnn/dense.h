// Convolutions of images so small that every result sees every pixel: products of matrices.
//
//   y[n, (o, m)] = Σ x[n, (i, c)] · w[m, c, tap(o, i)]        o, i: pixels of a result and of an image
//
// A 3×3 window on an image of one pixel is a product with its middle, on 2×2 pixels four with nine taps: whoever moves
// the window over the padded image multiplies 9 and 2.25 times as much. For training.
#pragma once

#include "dnn/geometry.h"

namespace faultline::dnn {

// Whether every result sees every pixel, and that is less than the window's taps.
bool suitsDense(const ConvGeometry& g);

// As winogradForward and its gradients (dnn/winograd.h).
void denseForward(const ConvGeometry& g, const float* x, const float* w, const float* bias, float* y);
void denseBackwardData(const ConvGeometry& g, const float* dy, const float* w, float* dx);
void denseBackwardWeights(const ConvGeometry& g, const float* x, const float* dy, float* dw, float* db);

}  // namespace faultline::dnn
