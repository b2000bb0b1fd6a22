#include "float/pool.h"

#include <limits>

#include "core/aligned.h"
#include "float/vectorize.h"

namespace faultline {
namespace {

FAULTLINE_VECTORIZED void keepLargest(int64_t channels, const float* __restrict x, int32_t place, float* __restrict y,
                                      int32_t* __restrict where) {
  for (int64_t c = 0; c < channels; ++c) {
    const bool larger = x[c] > y[c] || x[c] != x[c];  // NaN wins
    y[c] = larger ? x[c] : y[c];
    where[c] = larger ? place : where[c];
  }
}

FAULTLINE_VECTORIZED void addTo(int64_t channels, float factor, const float* __restrict x, float* __restrict y) {
  for (int64_t c = 0; c < channels; ++c) y[c] += factor * x[c];
}

FAULTLINE_VECTORIZED void multiply(int64_t channels, float factor, float* y) {
  for (int64_t c = 0; c < channels; ++c) y[c] *= factor;
}

// The taps k of [0, kernel) with low ≤ start + k · dilation < high.
struct Taps {
  int64_t begin, end;
  Taps(int64_t start, int64_t kernel, int64_t dilation, int64_t low, int64_t high) {
    const auto reach = [&](int64_t place) { return place <= start ? 0 : ceilDiv(place - start, dilation); };
    begin = std::min(kernel, reach(low));
    end = std::max(begin, std::min(kernel, reach(high)));
  }
  int64_t count() const { return end - begin; }
};

// visit(ih, iw) for every place inside the input of the window of (oh, ow).
template <typename Visit>
void window(const PoolGeometry& g, int64_t oh, int64_t ow, Visit&& visit) {
  const int64_t top = oh * g.strideH - g.padTop, left = ow * g.strideW - g.padLeft;
  const Taps rows(top, g.kernelH, g.dilationH, 0, g.h), columns(left, g.kernelW, g.dilationW, 0, g.w);
  for (int64_t kh = rows.begin; kh < rows.end; ++kh) {
    for (int64_t kw = columns.begin; kw < columns.end; ++kw) visit(top + kh * g.dilationH, left + kw * g.dilationW);
  }
}

// 1 / the number of places that count in the mean of the window of (oh, ow).
float share(const PoolGeometry& g, bool countPadding, int64_t oh, int64_t ow) {
  const int64_t top = oh * g.strideH - g.padTop, left = ow * g.strideW - g.padLeft;
  const int64_t pad = countPadding ? 1 : 0;
  const Taps rows(top, g.kernelH, g.dilationH, -pad * g.padTop, g.h + pad * g.padBottom);
  const Taps columns(left, g.kernelW, g.dilationW, -pad * g.padLeft, g.w + pad * g.padRight);
  const int64_t places = rows.count() * columns.count();
  return places > 0 ? 1.f / static_cast<float>(places) : 0.f;
}

// Samples a piece: enough work to hand out. Samples never share what they write.
int64_t samplesPerPiece(const PoolGeometry& g) {
  return std::max<int64_t>(1, kPiece / std::max<int64_t>(1, g.h * g.w * g.c));
}

// fn(sample, oh, ow, output index of its first channel), samples in parallel.
template <typename Fn>
void overOutputs(const PoolGeometry& g, Fn&& fn) {
  inPieces(g.n, samplesPerPiece(g), g.h * g.w * g.c, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      for (int64_t oh = 0; oh < g.outH; ++oh) {
        for (int64_t ow = 0; ow < g.outW; ++ow) fn(s, oh, ow, ((s * g.outH + oh) * g.outW + ow) * g.c);
      }
    }
  });
}

}  // namespace

void maxPool(const PoolGeometry& g, const float* x, float* y, int32_t* where) {
  overOutputs(g, [&](int64_t s, int64_t oh, int64_t ow, int64_t out) {
    std::fill_n(y + out, g.c, -std::numeric_limits<float>::infinity());
    std::fill_n(where + out, g.c, -1);
    window(g, oh, ow, [&](int64_t ih, int64_t iw) {
      const int64_t place = ih * g.w + iw;
      keepLargest(g.c, x + (s * g.h * g.w + place) * g.c, static_cast<int32_t>(place), y + out, where + out);
    });
  });
}

void maxPoolBackward(const PoolGeometry& g, const int32_t* where, const float* dy, float* dx) {
  inPieces(g.n, samplesPerPiece(g), g.h * g.w * g.c, [&](int64_t begin, int64_t end) {
    const int64_t plane = g.h * g.w * g.c;
    std::fill(dx + begin * plane, dx + end * plane, 0.f);
    for (int64_t s = begin; s < end; ++s) {
      for (int64_t o = s * g.outH * g.outW; o < (s + 1) * g.outH * g.outW; ++o) {
        for (int64_t c = 0; c < g.c; ++c) {
          const int32_t place = where[o * g.c + c];
          if (place >= 0 && place < g.h * g.w) dx[s * plane + place * g.c + c] += dy[o * g.c + c];
        }
      }
    }
  });
}

void averagePool(const PoolGeometry& g, bool countPadding, const float* x, float* y) {
  overOutputs(g, [&](int64_t s, int64_t oh, int64_t ow, int64_t out) {
    std::fill_n(y + out, g.c, 0.f);
    window(g, oh, ow, [&](int64_t ih, int64_t iw) { addTo(g.c, 1.f, x + ((s * g.h + ih) * g.w + iw) * g.c, y + out); });
    multiply(g.c, share(g, countPadding, oh, ow), y + out);
  });
}

void averagePoolBackward(const PoolGeometry& g, bool countPadding, const float* dy, float* dx) {
  const int64_t plane = g.h * g.w * g.c;
  inPieces(g.n, samplesPerPiece(g), g.h * g.w * g.c, [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * plane, dx + end * plane, 0.f);
    for (int64_t s = begin; s < end; ++s) {
      for (int64_t oh = 0; oh < g.outH; ++oh) {
        for (int64_t ow = 0; ow < g.outW; ++ow) {
          const float factor = share(g, countPadding, oh, ow);
          const float* from = dy + ((s * g.outH + oh) * g.outW + ow) * g.c;
          window(g, oh, ow,
                 [&](int64_t ih, int64_t iw) { addTo(g.c, factor, from, dx + ((s * g.h + ih) * g.w + iw) * g.c); });
        }
      }
    }
  });
}

}  // namespace faultline
