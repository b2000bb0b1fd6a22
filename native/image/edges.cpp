#include "image/edges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace faultline::image {
namespace {

enum Mark : uint8_t { kNone = 0, kStrong = 1, kWeak = 2 };

// Is the gradient at p larger than at its neighbours across the edge? tan 22.5° in 15-bit fixed point.
bool isRidge(Size plane, const int32_t* dx, const int32_t* dy, const int32_t* size, int64_t i, int64_t j) {
  constexpr int64_t kTangent = 13573;
  const int64_t h = plane.h, w = plane.w;  // named bindings cannot be captured (Clang 14)
  const int64_t p = i * w + j;
  const auto at = [&](int64_t y, int64_t x) { return y < 0 || y >= h || x < 0 || x >= w ? 0 : size[y * w + x]; };
  const int64_t xs = std::abs(dx[p]), ys = static_cast<int64_t>(std::abs(dy[p])) << 15;
  const int64_t shallow = xs * kTangent, steep = shallow + (xs << 16);
  if (ys < shallow) return size[p] > at(i, j - 1) && size[p] >= at(i, j + 1);
  if (ys > steep) return size[p] > at(i - 1, j) && size[p] >= at(i + 1, j);
  const int64_t s = (dx[p] ^ dy[p]) < 0 ? -1 : 1;
  return size[p] > at(i - 1, j - s) && size[p] > at(i + 1, j + s);
}

// Weak marks that touch strong ones become strong. stack: pixels places.
void spread(Size plane, uint8_t* marks, int32_t* stack) {
  const int64_t h = plane.h, w = plane.w;  // named bindings cannot be captured (Clang 14)
  int64_t top = 0;
  for (int64_t p = 0; p < h * w; ++p) {
    if (marks[p] == kStrong) stack[top++] = static_cast<int32_t>(p);
  }
  while (top > 0) {
    const int64_t p = stack[--top], i = p / w, j = p % w;
    for (int64_t y = std::max<int64_t>(0, i - 1); y <= std::min(h - 1, i + 1); ++y) {
      for (int64_t x = std::max<int64_t>(0, j - 1); x <= std::min(w - 1, j + 1); ++x) {
        uint8_t& mark = marks[y * w + x];
        if (mark != kWeak) continue;
        mark = kStrong;
        stack[top++] = static_cast<int32_t>(y * w + x);
      }
    }
  }
}

}  // namespace

void cannyEdges(Size plane, const uint8_t* x, int low, int high, uint8_t* edges, float* scratch) {
  const int64_t h = plane.h, w = plane.w;  // named bindings cannot be captured (Clang 14)
  auto* dx = reinterpret_cast<int32_t*>(scratch);
  int32_t* dy = dx + h * w;
  int32_t* size = dy + h * w;
  for (int64_t i = 0; i < h; ++i) {
    const uint8_t* above = x + inside(Border::nearest, i - 1, h) * w;
    const uint8_t* here = x + i * w;
    const uint8_t* below = x + inside(Border::nearest, i + 1, h) * w;
    for (int64_t j = 0; j < w; ++j) {
      const int64_t l = std::max<int64_t>(0, j - 1), r = std::min(w - 1, j + 1), p = i * w + j;
      dx[p] = above[r] - above[l] + 2 * (here[r] - here[l]) + below[r] - below[l];
      dy[p] = below[l] - above[l] + 2 * (below[j] - above[j]) + below[r] - above[r];
      size[p] = std::abs(dx[p]) + std::abs(dy[p]);
    }
  }
  for (int64_t i = 0; i < h; ++i) {
    for (int64_t j = 0; j < w; ++j) {
      const int64_t p = i * w + j;
      const bool ridge = size[p] > low && isRidge(plane, dx, dy, size, i, j);
      edges[p] = !ridge ? kNone : (size[p] > high ? kStrong : kWeak);
    }
  }
  spread(plane, edges, dx);
  for (int64_t p = 0; p < h * w; ++p) edges[p] = edges[p] == kStrong;
}

void distanceFromEdges(Size plane, const uint8_t* edges, float most, float* distance) {
  constexpr float kBeside = 1.f, kDiagonal = 1.4f, kKnight = 2.1969f;
  struct Step {
    int64_t dy, dx;
    float length;
  };
  // Towards places visited before, when going down and right; turned round when coming back.
  constexpr std::array<Step, 8> kSteps = {{{-2, -1, kKnight},
                                           {-2, 1, kKnight},
                                           {-1, -2, kKnight},
                                           {-1, -1, kDiagonal},
                                           {-1, 0, kBeside},
                                           {-1, 1, kDiagonal},
                                           {-1, 2, kKnight},
                                           {0, -1, kBeside}}};
  const int64_t h = plane.h, w = plane.w;  // named bindings cannot be captured (Clang 14)
  for (int64_t p = 0; p < h * w; ++p) distance[p] = edges[p] ? 0.f : most;
  const auto visit = [&](int64_t i, int64_t j, int64_t sign) {
    float& here = distance[i * w + j];
    for (const Step& step : kSteps) {
      const int64_t y = i + sign * step.dy, x = j + sign * step.dx;
      if (y >= 0 && y < h && x >= 0 && x < w) here = std::min(here, distance[y * w + x] + step.length);
    }
  };
  for (int64_t i = 0; i < h; ++i) {
    for (int64_t j = 0; j < w; ++j) visit(i, j, 1);
  }
  for (int64_t i = h - 1; i >= 0; --i) {
    for (int64_t j = w - 1; j >= 0; --j) visit(i, j, -1);
  }
}

void equalize(int64_t count, uint8_t* x) {
  std::array<int64_t, 256> histogram{};
  for (int64_t i = 0; i < count; ++i) ++histogram[x[i]];
  size_t least = 0;
  while (histogram[least] == 0) ++least;
  if (histogram[least] == count) return;
  std::array<uint8_t, 256> table{};
  const float scale = 255.f / static_cast<float>(count - histogram[least]);
  int64_t sum = 0;
  for (size_t level = least + 1; level < 256; ++level) {
    sum += histogram[level];
    table[level] = static_cast<uint8_t>(std::clamp(std::nearbyint(static_cast<float>(sum) * scale), 0.f, 255.f));
  }
  for (int64_t i = 0; i < count; ++i) x[i] = table[x[i]];
}

}  // namespace faultline::image
