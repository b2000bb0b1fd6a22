#include "dnn/dense.h"

#include <algorithm>

#include "core/aligned.h"
#include "core/parallel.h"
#include "dnn/matmul.h"

namespace faultline::dnn {
namespace {

// The tap of a window through which output o sees input i along one axis; outside of [0, kernel) where it does not.
int64_t tapOf(int64_t o, int64_t i, int64_t stride, int64_t pad) { return i - (o * stride - pad); }

bool seesAll(int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
  for (int64_t o = 0; o < out; ++o) {
    if (tapOf(o, 0, stride, pad) < 0 || tapOf(o, in - 1, stride, pad) >= kernel) return false;
  }
  return true;
}

// fn(o, i, tap) for all pairs of pixels.
template <typename Fn>
void overPairs(const ConvGeometry& g, Fn&& fn) {
  for (int64_t o = 0; o < g.outH() * g.outW(); ++o) {
    for (int64_t i = 0; i < g.h * g.w; ++i) {
      const int64_t y = tapOf(o / g.outW(), i / g.w, g.strideH, g.padTop);
      fn(o, i, y * g.kernelW + tapOf(o % g.outW(), i % g.w, g.strideW, g.padLeft));
    }
  }
}

// fn(m) for every output channel, shared among threads.
template <typename Fn>
void overChannels(const ConvGeometry& g, Fn&& fn) {
  parallel(static_cast<int>(std::min<int64_t>(threads(), g.outChannels)), [&](int thread, int count) {
    for (int64_t m = g.outChannels * thread / count; m < g.outChannels * (thread + 1) / count; ++m) fn(m);
  });
}

struct Shape {
  int64_t in, out;  // numbers an image has and gets
  explicit Shape(const ConvGeometry& g) : in(g.h * g.w * g.c), out(g.outH() * g.outW() * g.outChannels) {}
};

struct Expanded;

// [(o, m), (i, c)] from w[m, c, taps].
const float* expanded(const ConvGeometry& g, const float* w) {
  const Shape shape(g);
  float* all = scratch<Expanded, float>(static_cast<size_t>(shape.in * shape.out));
  const int64_t taps = g.kernelH * g.kernelW;
  overChannels(g, [&](int64_t m) {
    overPairs(g, [&](int64_t o, int64_t i, int64_t tap) {
      float* to = all + (o * g.outChannels + m) * shape.in + i * g.c;
      const float* from = w + m * g.c * taps + tap;
      for (int64_t c = 0; c < g.c; ++c) to[c] = from[c * taps];
    });
  });
  return all;
}

}  // namespace

bool suitsDense(const ConvGeometry& g) {
  return g.groups == 1 && g.dilationH == 1 && g.dilationW == 1 && g.h * g.w < g.kernelH * g.kernelW &&
         seesAll(g.outH(), g.h, g.kernelH, g.strideH, g.padTop) &&
         seesAll(g.outW(), g.w, g.kernelW, g.strideW, g.padLeft);
}

void denseForward(const ConvGeometry& g, const float* x, const float* w, const float* bias, float* y) {
  const Shape shape(g);
  struct Repeated;
  float* shift = bias ? scratch<Repeated, float>(static_cast<size_t>(shape.out)) : nullptr;
  for (int64_t o = 0; bias && o < shape.out; o += g.outChannels) std::copy_n(bias, g.outChannels, shift + o);
  matmul({1, g.n, shape.out, shape.in, false, true, false, false}, x, expanded(g, w), shift, y);
}

void denseBackwardData(const ConvGeometry& g, const float* dy, const float* w, float* dx) {
  const Shape shape(g);
  matmul({1, g.n, shape.in, shape.out, false, false, false, false}, dy, expanded(g, w), nullptr, dx);
}

void denseBackwardWeights(const ConvGeometry& g, const float* x, const float* dy, float* dw, float* db) {
  const Shape shape(g);
  float* all = scratch<Expanded, float>(static_cast<size_t>(shape.in * shape.out));
  matmul({1, shape.out, shape.in, g.n, true, false, false, false}, dy, x, nullptr, all);
  const int64_t taps = g.kernelH * g.kernelW;
  overChannels(g, [&](int64_t m) {
    std::fill_n(dw + m * g.c * taps, g.c * taps, 0.f);
    overPairs(g, [&](int64_t o, int64_t i, int64_t tap) {
      const float* from = all + (o * g.outChannels + m) * shape.in + i * g.c;
      float* to = dw + m * g.c * taps + tap;
      for (int64_t c = 0; c < g.c; ++c) to[c * taps] += from[c];
    });
    double sum = 0;
    for (int64_t at = m; db && at < g.outputs(); at += g.outChannels) sum += dy[at];
    if (db) db[m] = static_cast<float>(sum);
  });
}

}  // namespace faultline::dnn
