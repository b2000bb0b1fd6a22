#include "dnn/winograd.h"

#include <algorithm>
#include <vector>

#include "core/aligned.h"
#include "core/parallel.h"
#include "dispatch/dispatch.h"

namespace faultline::dnn {
namespace {

// Products that an algorithm without Winograd's trick would have to save, or transforms cost more than they gain.
constexpr double kLeastGain = 1.5;
// Transformed tiles of a block, in and out, beside the weights in a second-level cache of 1 MB.
constexpr int64_t kBlockBytes = 448 << 10;
// Large weights come from further away: enough tiles to be worth a pass over them.
constexpr int64_t kWeightsPerTile = 1365;
constexpr int64_t kMostRows = 128;
// Keeps the 36 points of a tile out of each other's cache sets.
constexpr int64_t kSkew = 16;

int64_t blockRows(int64_t in, int64_t out) {
  const int64_t fits = kBlockBytes / (static_cast<int64_t>(sizeof(float)) * kWinogradPoints * (in + out));
  return std::clamp(std::max(fits, in * out / kWeightsPerTile) / kWinogradLanes * kWinogradLanes, kWinogradLanes,
                    kMostRows);
}

// From images through windows of 3×3 to images.
struct Convolved {
  int64_t n;
  WinogradImages from, to;

  Convolved(const ConvGeometry& g, bool backward) : n(g.n) {
    const int64_t h = g.outH(), w = g.outW();
    from = {g.h, g.w, g.c, 0, 0, -g.padTop, -g.padLeft};
    to = {h, w, g.outChannels, 0, 0, 0, 0};
    if (backward) {
      from = {h, w, g.outChannels, 0, 0, g.padTop - 2, g.padLeft - 2};
      to = {g.h, g.w, g.c, 0, 0, 0, 0};
    }
    from.tilesH = to.tilesH = ceilDiv(to.h, kWinogradTile);
    from.tilesW = to.tilesW = ceilDiv(to.w, kWinogradTile);
  }
  int64_t tiles() const { return n * to.tilesH * to.tilesW; }
};

// fn(thread, threadCount, first tile, tiles) on every thread that gets some, in whole groups of `unit`.
template <typename Fn>
void shareTiles(int64_t tiles, int64_t unit, Fn&& fn) {
  const int64_t units = ceilDiv(tiles, unit);
  parallel(static_cast<int>(std::min<int64_t>(threads(), units)), [&](int thread, int count) {
    const int64_t first = units * thread / count * unit, last = std::min(tiles, units * (thread + 1) / count * unit);
    fn(thread, count, first, last);
  });
}

// Scratch memory by what it holds: transformed weights, tiles in and out, sums of a thread.
struct Weights;
struct In;
struct Out;
struct Sums;

template <typename Tag>
float* memory(int64_t count) {
  return scratch<Tag, float>(static_cast<size_t>(count));
}

// y = x ∗ w, or with `backward` x ∗ (w turned and swapped).
void convolve(const ConvGeometry& g, bool backward, const float* x, const float* w, const float* bias, float* y) {
  const WinogradKernels& kernels = *winogradKernels();
  const Convolved shape(g, backward);
  const int64_t in = shape.from.c, out = shape.to.c;
  const int64_t inWidth = winogradPanel(in), outWidth = winogradPanel(out);
  const int64_t weightStride = in * out + kSkew;
  float* u = memory<Weights>(kWinogradPoints * weightStride);
  const int64_t taps = g.kernelH * g.kernelW;
  // w: [M, C, 3, 3]: sums run over C forward, over M backward.
  const int64_t depthStride = backward ? g.c * taps : taps, columnStride = backward ? taps : g.c * taps;
  shareTiles(in, 1, [&](int, int, int64_t first, int64_t last) {
    for (int64_t d = first; d < last; ++d) {
      kernels.weights(w, depthStride, columnStride, backward, d, in, out, weightStride, u);
    }
  });
  const int64_t most = blockRows(in, out), unit = outWidth == kWinogradLanes ? 16 : 8;
  const int64_t inStride = in * most + kSkew, outStride = out * most + kSkew;
  shareTiles(shape.tiles(), unit, [&](int, int, int64_t begin, int64_t end) {
    float* v = memory<In>(kWinogradPoints * inStride);
    float* m = memory<Out>(kWinogradPoints * outStride);
    for (int64_t first = begin; first < end; first += most) {
      const int64_t count = std::min(most, end - first);
      kernels.input(x, shape.from, {first, count, most, inStride}, v);
      for (int64_t point = 0; point < kWinogradPoints; ++point) {
        for (int64_t column = 0; column < out; column += outWidth) {
          kernels.product({v + point * inStride, inWidth, 1, most * inWidth, u + point * weightStride + column * in,
                           m + point * outStride + column * most, roundUp(count, unit), in / inWidth, inWidth, outWidth,
                           false});
        }
      }
      kernels.output(m, {first, count, most, outStride}, bias, shape.to, y);
    }
  });
}

}  // namespace

bool suitsWinograd(const ConvGeometry& g) {
  if (winogradKernels() == nullptr || g.groups != 1 || g.kernelH != 3 || g.kernelW != 3 || g.strideH != 1 ||
      g.strideW != 1 || g.dilationH != 1 || g.dilationW != 1 || g.c % kWinogradLanes != 0 ||
      g.outChannels % kWinogradLanes != 0 || std::max({g.padTop, g.padLeft, g.padBottom, g.padRight}) > 2) {
    return false;
  }
  // Whoever multiplies directly leaves out what the padding would be multiplied with.
  const auto inside = [](int64_t out, int64_t in, int64_t pad) {
    int64_t taps = 0;
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t k = 0; k < 3; ++k) taps += o - pad + k >= 0 && o - pad + k < in;
    }
    return taps;
  };
  const int64_t direct = inside(g.outH(), g.h, g.padTop) * inside(g.outW(), g.w, g.padLeft);
  const int64_t tiles = ceilDiv(g.outH(), kWinogradTile) * ceilDiv(g.outW(), kWinogradTile);
  return static_cast<double>(direct) >= kLeastGain * static_cast<double>(kWinogradPoints * tiles);
}

void winogradForward(const ConvGeometry& g, const float* x, const float* w, const float* bias, float* y) {
  convolve(g, false, x, w, bias, y);
}

void winogradBackwardData(const ConvGeometry& g, const float* dy, const float* w, float* dx) {
  convolve(g, true, dy, w, nullptr, dx);
}

void winogradBackwardWeights(const ConvGeometry& g, const float* x, const float* dy, float* dw, float* db) {
  const WinogradKernels& kernels = *winogradKernels();
  const Convolved shape(g, false);
  const int64_t in = shape.from.c, out = shape.to.c;
  const int64_t inWidth = winogradPanel(in), outWidth = winogradPanel(out);
  const int64_t weightStride = in * out + kSkew;
  const int64_t most = blockRows(in, out);
  const int64_t inStride = in * most + kSkew, outStride = out * most + kSkew;
  std::vector<const float*> parts(static_cast<size_t>(threads()));
  std::vector<std::vector<double>> biases(parts.size());
  int used = 0;
  shareTiles(shape.tiles(), kWinogradLanes, [&](int thread, int count, int64_t begin, int64_t end) {
    if (thread == 0) used = count;
    float* v = memory<In>(kWinogradPoints * inStride);
    float* d = memory<Out>(kWinogradPoints * outStride);
    float* u = memory<Sums>(kWinogradPoints * weightStride);
    parts[static_cast<size_t>(thread)] = u;
    std::vector<float> sums(db ? static_cast<size_t>(out) : 0);
    std::vector<double>& bias = biases[static_cast<size_t>(thread)];
    bias.assign(sums.size(), 0);
    for (int64_t first = begin; first < end; first += most) {
      const WinogradBlock block{first, std::min(most, end - first), most, 0};
      std::fill(sums.begin(), sums.end(), 0.f);
      kernels.input(x, shape.from, {block.first, block.count, most, inStride}, v);
      kernels.gradient(dy, shape.to, {block.first, block.count, most, outStride}, d, db ? sums.data() : nullptr);
      for (size_t k = 0; k < sums.size(); ++k) bias[k] += sums[k];
      for (int64_t point = 0; point < kWinogradPoints; ++point) {
        for (int64_t column = 0; column < in; column += inWidth) {
          for (int64_t row = 0; row < out; row += outWidth) {
            kernels.product({d + point * outStride + row * most, 1, outWidth, 0, v + point * inStride + column * most,
                             u + point * weightStride + column * out + row * inWidth, outWidth, 1, block.count, inWidth,
                             first > begin});
          }
        }
      }
    }
  });
  shareTiles(out, 1, [&](int, int, int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) {
      kernels.weightGradient(parts.data(), used, k, out, in, weightStride, dw);
    }
  });
  for (int64_t k = 0; db && k < out; ++k) {
    double sum = 0;
    for (int part = 0; part < used; ++part) sum += biases[static_cast<size_t>(part)][static_cast<size_t>(k)];
    db[k] = static_cast<float>(sum);
  }
}

}  // namespace faultline::dnn
