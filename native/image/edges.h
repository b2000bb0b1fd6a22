// What `spatter` needs of a byte image [h, w]: edges, distance from them, equalized brightness.
#pragma once

#include <cstdint>

#include "image/filters.h"

namespace faultline::image {

// 1 where there is an edge, else 0 (Canny, 1986), with 3×3 Sobel derivatives, gradient |dx| + |dy|, thresholds `low`
// and `high`: what OpenCV's Canny does. scratch: 3 · pixels floats.
void cannyEdges(Size plane, const uint8_t* x, int low, int high, uint8_t* edges, float* scratch);
// Distance of each place from the nearest edge by steps of 1, 1.4 and 2.1969 (Borgefors, 1986), `most` at most.
void distanceFromEdges(Size plane, const uint8_t* edges, float most, float* distance);
// Brightness levels spread evenly by their cumulative histogram, as OpenCV's equalizeHist. In place.
void equalize(int64_t count, uint8_t* x);

}  // namespace faultline::image
