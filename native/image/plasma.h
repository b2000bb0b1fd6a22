// Clouds by the diamond-square algorithm (Fournier, Fussell & Carpenter, 1982) on a torus.
#pragma once

#include <cstdint>

namespace faultline::image {

// Fills map[side, side], side a power of two, with values from 0 to 1. `noise`: as many uniform numbers of (0, 1).
// Random displacements are wibble², wibble = 100 at first, divided by `decay` at each halving of the grid.
void plasma(int64_t side, double decay, const float* noise, float* map);
int64_t powerOfTwoFrom(int64_t n);  // the least that is ≥ n

}  // namespace faultline::image
