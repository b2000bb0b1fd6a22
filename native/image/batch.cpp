#include "image/batch.h"

#include <cstring>

namespace faultline::image {
namespace {

struct Source {
  const BatchArgs& a;
  int64_t image;  // elements before it

  float at(int64_t offset, int64_t channel) const {
    return a.bytes ? a.table[channel * 256 + a.bytes[image + offset]] : a.floats[image + offset];
  }
  float black(int64_t channel) const { return a.bytes ? a.table[channel * 256] : 0.f; }
};

void copyImage(const Source& s, float* y) {
  const Size& size = s.a.size;
  if (!s.a.bytes) {
    std::memcpy(y, s.a.floats + s.image, static_cast<size_t>(size.values()) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < size.values(); i += size.c) {
    for (int64_t c = 0; c < size.c; ++c) y[i + c] = s.at(i + c, c);
  }
}

void placeImage(const Source& s, const Placement& p, float* y) {
  const Size& size = s.a.size;
  const int64_t hole = s.a.hole;
  for (int64_t row = 0; row < size.h; ++row) {
    const int64_t fromRow = row + p.shiftY;
    const bool rowInside = fromRow >= 0 && fromRow < size.h;
    const bool rowCut = row >= p.holeY && row < p.holeY + hole;
    for (int64_t column = 0; column < size.w; ++column) {
      const int64_t fromColumn = (p.mirrored ? size.w - 1 - column : column) + p.shiftX;
      const bool inside = rowInside && fromColumn >= 0 && fromColumn < size.w;
      const bool cut = rowCut && column >= p.holeX && column < p.holeX + hole;
      const int64_t from = (fromRow * size.w + fromColumn) * size.c;
      for (int64_t c = 0; c < size.c; ++c) *y++ = cut ? 0.f : inside ? s.at(from + c, c) : s.black(c);
    }
  }
}

}  // namespace

void fillBatch(const BatchArgs& a) {
  const int64_t size = a.size.values();
  for (int64_t i = 0; i < a.count; ++i) {
    const Source source{a, i * size};
    float* y = a.inputs + i * size;
    if (a.placement) {
      placeImage(source, a.placement[i], y);
    } else {
      copyImage(source, y);
    }
  }
}

}  // namespace faultline::image
