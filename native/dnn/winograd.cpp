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
// Large weights come from farther caches: enough tiles to amortise a pass over them.
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

// Scratch memory by what it holds: transformed weights or their gradient, tiles in and out.
struct Weights;
struct In;
struct Out;

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

// Parts of the tiles whose sums are added at the end, whatever the number of threads is.
constexpr int64_t kParts = 2;
// Transformed weights of which every part has separate sums; with more, the halves of a block are the parts of the bias
// only, and threads share the products.
constexpr int64_t kOwnSums = 64 * 64;

class WeightGradient {
 public:
  WeightGradient(const ConvGeometry& g, const float* x, const float* dy, bool bias)
      : shape_(g, false), in_(g.c), out_(g.outChannels), most_(blockRows(in_, out_)), x_(x), dy_(dy) {
    if (bias) bias_.resize(static_cast<size_t>(kParts * out_));
  }

  // Transformed weights, [36][in / W][out][W] each.
  std::vector<const float*> sum() {
    const int64_t size = kWinogradPoints * weightStride(), tiles = shape_.tiles();
    if (in_ * out_ > kOwnSums) {
      float* u = memory<Weights>(size);
      sumTogether(0, tiles, kParts, 0, u);
      return {u};
    }
    const int64_t units = ceilDiv(tiles, kWinogradLanes), parts = std::min(kParts, units);
    float* u = memory<Weights>(parts * size);
    const auto begin = [&](int64_t part) { return std::min(tiles, units * part / parts * kWinogradLanes); };
    if (threads() <= parts) {
      shareTiles(parts, 1, [&](int, int, int64_t first, int64_t last) {
        for (int64_t p = first; p < last; ++p) sumAlone(begin(p), begin(p + 1), p, u + p * size);
      });
    } else {
      for (int64_t p = 0; p < parts; ++p) sumTogether(begin(p), begin(p + 1), 1, p, u + p * size);
    }
    return parts == 1 ? std::vector<const float*>{u} : std::vector<const float*>{u, u + size};
  }
  int64_t weightStride() const { return in_ * out_ + kSkew; }
  float bias(int64_t channel) const {
    double sum = 0;
    for (int64_t p = 0; p < kParts; ++p) sum += bias_[static_cast<size_t>(p * out_ + channel)];
    return static_cast<float>(sum);
  }

 private:
  // Tiles of the input and of the gradient, transformed.
  struct Block {
    float *v, *d;
  };
  Block blockMemory() const {
    return {memory<In>(kWinogradPoints * inStride()), memory<Out>(kWinogradPoints * outStride())};
  }
  int64_t inStride() const { return in_ * most_ + kSkew; }
  int64_t outStride() const { return out_ * most_ + kSkew; }

  // Sums tiles begin to end in the calling thread.
  void sumAlone(int64_t begin, int64_t end, int64_t part, float* u) {
    const Block block = blockMemory();
    for (int64_t first = begin; first < end; first += most_) {
      const int64_t count = std::min(most_, end - first);
      transform(block, first, 0, count, part);
      multiply(block, count, 0, kWinogradPoints, first > begin, u);
    }
  }

  // The same by all threads, which share a block's tiles, then its points. A bias is summed in as many ranges of a
  // block as `biasRanges` says, for the parts from firstPart on.
  void sumTogether(int64_t begin, int64_t end, int64_t biasRanges, int64_t firstPart, float* u) {
    const Block block = blockMemory();
    for (int64_t first = begin; first < end; first += most_) {
      const int64_t count = std::min(most_, end - first);
      const int64_t ranges = std::min<int64_t>(count, bias_.empty() ? threads() : biasRanges);
      shareTiles(ranges, 1, [&](int, int, int64_t from, int64_t to) {
        for (int64_t r = from; r < to; ++r) {
          transform(block, first, count * r / ranges, count * (r + 1) / ranges, firstPart + r);
        }
      });
      shareTiles(kWinogradPoints, 1,
                 [&](int, int, int64_t from, int64_t to) { multiply(block, count, from, to, first > begin, u); });
    }
  }

  // Tiles begin to end of the block that starts with tile `first`.
  void transform(const Block& block, int64_t first, int64_t begin, int64_t end, int64_t part) {
    const WinogradKernels& kernels = *winogradKernels();
    std::vector<float> bias(bias_.empty() ? 0 : static_cast<size_t>(out_));
    kernels.input(x_, shape_.from, {first + begin, end - begin, most_, inStride()},
                  block.v + begin * winogradPanel(in_));
    kernels.gradient(dy_, shape_.to, {first + begin, end - begin, most_, outStride()},
                     block.d + begin * winogradPanel(out_), bias.empty() ? nullptr : bias.data());
    for (size_t k = 0; k < bias.size(); ++k) bias_[static_cast<size_t>(part * out_) + k] += bias[k];
  }

  // u (+)= d of `count` tiles, transposed, times v, for points begin to end.
  void multiply(const Block& block, int64_t count, int64_t begin, int64_t end, bool add, float* u) const {
    const int64_t inWidth = winogradPanel(in_), outWidth = winogradPanel(out_);
    for (int64_t point = begin; point < end; ++point) {
      for (int64_t column = 0; column < in_; column += inWidth) {
        for (int64_t row = 0; row < out_; row += outWidth) {
          winogradKernels()->product({block.d + point * outStride() + row * most_, 1, outWidth, 0,
                                      block.v + point * inStride() + column * most_,
                                      u + point * weightStride() + column * out_ + row * inWidth, outWidth, 1, count,
                                      inWidth, add});
        }
      }
    }
  }

  Convolved shape_;
  int64_t in_, out_, most_;
  const float *x_, *dy_;
  std::vector<double> bias_;  // [parts][out], empty where there is none
};

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
  WeightGradient gradient(g, x, dy, db != nullptr);
  const std::vector<const float*> parts = gradient.sum();
  shareTiles(g.outChannels, 1, [&](int, int, int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) {
      winogradKernels()->weightGradient(parts.data(), static_cast<int>(parts.size()), k, g.outChannels, g.c,
                                        gradient.weightStride(), dw);
    }
  });
  for (int64_t k = 0; db && k < g.outChannels; ++k) db[k] = gradient.bias(k);
}

}  // namespace faultline::dnn
