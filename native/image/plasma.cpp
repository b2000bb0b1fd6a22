#include "image/plasma.h"

#include <algorithm>

namespace faultline::image {

int64_t powerOfTwoFrom(int64_t n) {
  int64_t side = 1;
  while (side < n) side *= 2;
  return side;
}

void plasma(int64_t side, double decay, const float* noise, float* map) {
  const int64_t mask = side - 1;
  const auto at = [&](int64_t y, int64_t x) -> float& { return map[(y & mask) * side + (x & mask)]; };
  double wibble = 100;
  map[0] = 0;
  for (int64_t step = side; step >= 2; step /= 2, wibble /= decay) {
    const int64_t half = step / 2;
    const auto amplitude = static_cast<float>(wibble * wibble);
    const auto set = [&](int64_t y, int64_t x, float sum) {
      at(y, x) = .25f * sum + amplitude * (2 * noise[y * side + x] - 1);
    };
    for (int64_t y = 0; y < side; y += step) {
      for (int64_t x = 0; x < side; x += step) {
        set(y + half, x + half, at(y, x) + at(y + step, x) + at(y, x + step) + at(y + step, x + step));
      }
    }
    for (int64_t y = 0; y < side; y += step) {
      for (int64_t x = 0; x < side; x += step) {
        const float middle = at(y + half, x + half), corner = at(y, x);
        set(y, x + half, middle + at(y - half, x + half) + corner + at(y, x + step));
        set(y + half, x, middle + at(y + half, x - half) + corner + at(y + step, x));
      }
    }
  }
  const auto [least, most] = std::minmax_element(map, map + side * side);
  const float low = *least, range = *most - *least;
  for (int64_t i = 0; i < side * side; ++i) map[i] = range > 0 ? (map[i] - low) / range : 0.f;
}

}  // namespace faultline::image
