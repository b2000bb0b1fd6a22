#include "ops/profile_samples.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/first_bad.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

// A sample is cut into pieces of this many elements, whatever the number of threads: sums over pieces are combined in
// order.
constexpr int64_t kPiece = 16 * 1024;

// Beyond this quotient the vector code's rounding does not work, and no range that short is of practical use.
constexpr float kLargestQuotient = 0x1p22f;
// Floats this large are integers: rounding them changes nothing.
constexpr float kAllIntegers = 0x1p23f;

// ProfileKernels::split without a limit on x / scale.
SplitSums splitAny(const float* x, int64_t n, const AffineParams& params, uint8_t* q, float* rounding,
                   float* clipping) {
  SplitSums sums;
  const double scale = params.scale;
  for (int64_t i = 0; i < n; ++i) {
    const float quotient = x[i] / params.scale;
    const double steps = std::fabs(quotient) < kAllIntegers ? std::nearbyint(static_cast<double>(quotient))
                                                            : static_cast<double>(x[i]) / scale;
    const double u = steps + params.zeroPoint;
    const double code = std::clamp(u, 0.0, static_cast<double>(params.qmax));
    const double r = scale * steps - static_cast<double>(x[i]);
    q[i] = static_cast<uint8_t>(code);
    rounding[i] = static_cast<float>(r);
    clipping[i] = static_cast<float>(scale * (code - u));
    sums.roundingSquared += (r / scale) * (r / scale);
    sums.clippingSquared += (code - u) * (code - u);
    sums.clipped += code != u;
  }
  return sums;
}

int32_t codeOf(float x, const AffineParams& params) {
  const double u = std::nearbyint(static_cast<double>(x / params.scale)) + params.zeroPoint;
  return static_cast<int32_t>(std::clamp(u, 0.0, static_cast<double>(params.qmax)));
}

struct Pieces {
  Pieces(int64_t samples, int64_t floats) : perSample(ceilDiv(floats, kPiece)), total(samples * perSample) {}
  int64_t perSample;
  int64_t total;
  int64_t begin(int64_t piece) const { return piece % perSample * kPiece; }
};

template <typename Fn>
void forEachPiece(const Pieces& pieces, int64_t floats, Fn&& fn) {
  parallel(threadsFor(pieces.total * std::min(kPiece, floats)), [&](int t, int count) {
    for (int64_t p = pieces.total * t / count; p < pieces.total * (t + 1) / count; ++p) {
      const int64_t begin = pieces.begin(p);
      fn(p, p / pieces.perSample, begin, std::min(kPiece, floats - begin));
    }
  });
}

// Copies the taps of one window; see SampleBatch::gather.
template <typename T>
void gatherTaps(const T* sample, const SampleShape& s, int64_t row, int64_t column,
                const SampleBatch::Channels& channels, T padding, T* out) {
  const int64_t width = channels.count * channels.repeat;
  const bool dense =
      channels.repeat == 1 && channels.count == s.c && s.window.dilationW == 1 && channels.tapStep == s.c;
  const int64_t left = column * s.window.strideW - s.window.padLeft;
  for (int64_t kh = 0; kh < s.kernelH; ++kh, out += s.kernelW * channels.tapStep) {
    const int64_t h = row * s.window.strideH - s.window.padTop + kh * s.window.dilationH;
    const bool insideH = h >= 0 && h < s.h;
    if (insideH && dense && left >= 0 && left + s.kernelW <= s.w) {
      std::copy_n(sample + (h * s.w + left) * s.c, s.kernelW * s.c, out);
      continue;
    }
    for (int64_t kw = 0; kw < s.kernelW; ++kw) {
      const int64_t w = left + kw * s.window.dilationW;
      T* to = out + kw * channels.tapStep;
      if (!insideH || w < 0 || w >= s.w) {
        std::fill_n(to, width, padding);
        continue;
      }
      const T* from = sample + (h * s.w + w) * s.c + channels.begin;
      if (channels.repeat == 1) {
        std::copy_n(from, width, to);
      } else {
        for (int64_t i = 0; i < width; ++i) to[i] = from[i / channels.repeat];
      }
    }
  }
}

}  // namespace

bool scanSamples(const float* x, int64_t n, int64_t floats, SampleRange* ranges, int64_t* bad) {
  const Pieces pieces(n, floats);
  std::vector<SampleRange> found(static_cast<size_t>(pieces.total));
  FirstBad first;
  forEachPiece(pieces, floats, [&](int64_t piece, int64_t sample, int64_t begin, int64_t count) {
    const float* from = x + sample * floats + begin;
    SampleRange& range = found[static_cast<size_t>(piece)];
    range = {from[0], from[0]};
    if (!kernels().scanRange(from, count, &range.min, &range.max)) first.report(sample);
  });
  *bad = first.any() ? first.index() : -1;
  for (int64_t sample = 0; sample < n; ++sample) {
    ranges[sample] = found[static_cast<size_t>(sample * pieces.perSample)];
    for (int64_t i = 1; i < pieces.perSample; ++i) {
      const SampleRange& piece = found[static_cast<size_t>(sample * pieces.perSample + i)];
      ranges[sample] = {std::min(ranges[sample].min, piece.min), std::max(ranges[sample].max, piece.max)};
    }
  }
  return !first.any();
}

SampleBatch::SampleBatch(const SampleShape& shape, int64_t capacity)
    : shape_(shape),
      codes_(static_cast<size_t>(capacity * shape.floats())),
      rounding_(static_cast<size_t>(capacity * shape.floats())),
      clipping_(static_cast<size_t>(capacity * shape.floats())) {}

void SampleBatch::quantize(const float* x, int64_t count, const SampleRange* ranges, const AffineParams* params,
                           const ProfileKernels& kernels, ActivationErrors* errors) {
  x_ = x;
  params_ = params;
  const int64_t floats = shape_.floats();
  const Pieces pieces(count, floats);
  std::vector<SplitSums> sums(static_cast<size_t>(pieces.total));
  forEachPiece(pieces, floats, [&](int64_t piece, int64_t sample, int64_t begin, int64_t length) {
    const AffineParams& p = params[sample];
    const int64_t at = sample * floats + begin;
    const float largest = std::max(std::fabs(ranges[sample].min), std::fabs(ranges[sample].max));
    const auto split = largest / p.scale < kLargestQuotient ? kernels.split : splitAny;
    sums[static_cast<size_t>(piece)] =
        split(x + at, length, p, codes_.data() + at, rounding_.data() + at, clipping_.data() + at);
    int64_t histogram[256] = {};
    for (int64_t i = 0; i < length; ++i) ++histogram[codes_.data()[at + i]];
    for (int i = 0; i <= p.qmax; ++i) {
      if (histogram[i] == 0) continue;
      std::atomic_ref(errors->histogram[i]).fetch_add(histogram[i], std::memory_order_relaxed);
    }
  });
  clips_ = false;
  for (const SplitSums& s : sums) {
    errors->sums.roundingSquared += s.roundingSquared;
    errors->sums.clippingSquared += s.clippingSquared;
    errors->sums.clipped += s.clipped;
    clips_ = clips_ || s.clipped > 0;
  }
  for (int64_t i = 0; i < count; ++i) {
    const int32_t used = codeOf(ranges[i].max, params[i]) - codeOf(ranges[i].min, params[i]);
    errors->unusedRange += 1.0 - static_cast<double>(used) / params[i].qmax;
  }
  errors->samples += count;
  errors->elements += count * floats;
}

void SampleBatch::gather(int64_t pixel, const Channels& channels, float* x, float* rounding, float* clipping,
                         uint8_t* codes) const {
  const int64_t sample = pixel / shape_.outPixels();
  const int64_t row = pixel % shape_.outPixels() / shape_.outW;
  const int64_t column = pixel % shape_.outW;
  const int64_t at = sample * shape_.floats();
  gatherTaps(x_ + at, shape_, row, column, channels, 0.0f, x);
  gatherTaps(rounding_.data() + at, shape_, row, column, channels, 0.0f, rounding);
  if (clips_) gatherTaps(clipping_.data() + at, shape_, row, column, channels, 0.0f, clipping);
  gatherTaps(codes_.data() + at, shape_, row, column, channels, static_cast<uint8_t>(params(pixel).zeroPoint), codes);
}

}  // namespace faultline
