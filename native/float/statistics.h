// What an activation looks like, sample by sample: a few numbers, and a small picture of it. Agents that choose bits
// while the network runs see these instead of the activation.
#pragma once

#include <cstdint>

#include "abi/codes.h"

namespace faultline {

// out[s] = statistics of sample s; x: [samples, places, channels], out: [samples, SampleStatistic::count]. places and
// channels are at least 1. A sample's numbers do not depend on the others.
void sampleStatistics(int64_t samples, int64_t places, int64_t channels, const float* x, float* out);

// y[s, i, j, c] = mean of x[s, h, w, c] over ⌊i·h/gridH⌋ ≤ h < ⌈(i+1)·h/gridH⌉, columns alike: adaptive average pooling
// as PyTorch defines it. x: [samples, h, w, c], y: [samples, gridH, gridW, c].
void adaptiveAveragePool(int64_t samples, int64_t h, int64_t w, int64_t c, int64_t gridH, int64_t gridW, const float* x,
                         float* y);

}  // namespace faultline
