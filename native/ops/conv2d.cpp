#include "ops/conv2d.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/conv_image.h"
#include "ops/depthwise.h"
#include "ops/first_bad.h"
#include "ops/implicit_gemm.h"
#include "ops/inside_taps.h"
#include "ops/matmul.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

constexpr const char* kName = "conv2dDynamic";
// The quantized, padded image of one sample; offsets inside it then fit in 32 bits everywhere.
constexpr int64_t kMaxImageBytes = int64_t{1} << 31;
// Small samples are quantized several at a time, so that the kernels get full row blocks and long runs of rows …
constexpr int64_t kBatchPixels = 256;
// … as long as their images stay in the second-level cache.
constexpr int64_t kBatchBytes = 256 * 1024;
// Whole samples are shared out to threads, without any synchronisation, when no thread then gets this much more than
// its share. Otherwise the threads work on every sample together.
constexpr double kMaxImbalance = 1.25;

struct Range {
  float min = 0.0f;
  float max = 0.0f;
};

std::string list(std::initializer_list<int64_t> values) {
  std::string text;
  for (const int64_t v : values) text += (text.empty() ? "[" : ", ") + std::to_string(v);
  return text + "]";
}

int weightMagnitude(const PackedConv& w) { return w.storage == WeightStorage::int4 ? 8 : 128; }

class DynamicConvolution {
 public:
  explicit DynamicConvolution(const Conv2dDynamicArgs& args)
      : args_(args), conv_(*args.weights), geometry_(args), table_(kernels()) {
    threads_ = threadsFor(args.n * geometry_.outPixels() * geometry_.outC * conv_.shape.k());
    const int64_t byPixels = ceilDiv(kBatchPixels, geometry_.outPixels());
    const int64_t byBytes = std::max<int64_t>(kBatchBytes / geometry_.imageBytes, 1);
    batch_ = std::min({byPixels, byBytes, args.n});
    const InsideTapsPlan plan = planInsideTaps(args, geometry_, args.n / threads_);
    inside_ = plan.way;
    if (inside_ != InsideTaps::no) leaveOutPadding(args, inside_, &geometry_);
    if (inside_ == InsideTaps::acrossSamples) batch_ = plan.samples;
  }

  Status run() {
    if (args_.perTensor) {
      const std::vector<Range> ranges = scan(0, args_.n);
      if (bad_.any()) return refusal();
      Range all;
      for (const Range& r : ranges) all = {std::min(all.min, r.min), std::max(all.max, r.max)};
      tensorParams_ = chooseAsymmetric(all.min, all.max, args_.bits);
    }
    if (ceilDiv(args_.n, int64_t{threads_}) * threads_ <= static_cast<double>(args_.n) * kMaxImbalance) {
      runSeparately();
    } else {
      runTogether();
    }
    return bad_.any() ? refusal() : Status::ok();
  }

 private:
  const float* sample(int64_t i) const { return args_.x + i * geometry_.sampleFloats(); }

  Status refusal() const {
    return Status::invalid(kName, "x", "finite values", "NaN or infinity in sample " + std::to_string(bad_.index()));
  }

  AffineParams choose(int64_t i, const Range& range) const {
    const AffineParams params =
        args_.perTensor ? tensorParams_
                        : chooseAsymmetric(range.min, range.max, args_.sampleBits ? args_.sampleBits[i] : args_.bits);
    if (args_.sampleScale) args_.sampleScale[i] = params.scale;
    if (args_.sampleZeroPoint) args_.sampleZeroPoint[i] = params.zeroPoint;
    return params;
  }

  // Everything computed from the images of a batch; a unit is a pixel, or an output row when depthwise.
  int64_t units(const ImageBatch& batch) const {
    return batch.count * (conv_.isDepthwise() ? geometry_.outH : geometry_.outPixels());
  }
  int64_t panels() const { return conv_.panelsPerGroup() * conv_.shape.groups; }
  void multiply(const ImageBatch& batch, const Slice& units, const Slice& panels) const {
    if (conv_.isDepthwise()) {
      convolveDepthwise(args_, batch, units);
    } else if (inside_ != InsideTaps::no) {
      multiplyInsideTaps(args_, inside_, batch, units, panels);
    } else {
      multiplyImages(args_, batch, units, panels);
    }
  }

  // Each thread takes separate samples.
  void runSeparately() {
    parallel(threads_, [&](int t, int total) {
      const int64_t end = args_.n * (t + 1) / total;
      ImageBatch batch(geometry_, batch_);
      for (batch.first = args_.n * t / total; batch.first < end; batch.first += batch.count) {
        batch.count = std::min(batch_, end - batch.first);
        for (int64_t i = 0; i < batch.count; ++i) {
          const int64_t at = batch.first + i;
          Range range;
          if (!args_.perTensor && !table_.scanRange(sample(at), geometry_.sampleFloats(), &range.min, &range.max)) {
            bad_.report(at);
            return;
          }
          batch.params[i] = choose(at, range);
          if (!conv_.isDepthwise()) batch.quantize(sample(at), i, 0, geometry_.imageH);
        }
        multiply(batch, {0, units(batch)}, {0, panels()});
      }
    });
  }

  // All threads share each batch: scan it, quantize it, multiply it.
  void runTogether() {
    ImageBatch batch(geometry_, batch_);
    for (batch.first = 0; batch.first < args_.n; batch.first += batch.count) {
      batch.count = std::min(batch_, args_.n - batch.first);
      std::vector<Range> ranges(static_cast<size_t>(batch.count));
      if (!args_.perTensor) ranges = scan(batch.first, batch.count);
      if (bad_.any()) return;
      for (int64_t i = 0; i < batch.count; ++i) {
        batch.params[i] = choose(batch.first + i, ranges[static_cast<size_t>(i)]);
      }
      if (!conv_.isDepthwise()) quantize(batch);
      if (!conv_.isDepthwise() && conv_.shape.groups == 1) {
        const Grid grid = chooseGrid(units(batch), conv_.groups[0]);
        parallel(grid.threads(), [&](int t, int total) {
          for (int part = t; part < grid.threads(); part += total) multiply(batch, grid.rows(part), grid.panels(part));
        });
      } else {
        parallel(threads_, [&](int t, int total) {
          const int64_t all = units(batch);
          multiply(batch, {all * t / total, all * (t + 1) / total}, {0, panels()});
        });
      }
    }
  }

  // The images of a batch: all threads share the rows.
  void quantize(ImageBatch& batch) {
    parallel(threads_, [&](int t, int total) {
      const int64_t rows = batch.count * geometry_.imageH;
      for (int64_t row = rows * t / total, end = rows * (t + 1) / total; row < end;) {
        const int64_t i = row / geometry_.imageH;
        const int64_t stop = std::min((i + 1) * geometry_.imageH, end);
        batch.quantize(sample(batch.first + i), i, row - i * geometry_.imageH, stop - i * geometry_.imageH);
        row = stop;
      }
    });
  }

  // The ranges of samples [first, first + count): all threads share the elements.
  std::vector<Range> scan(int64_t first, int64_t count) {
    const int64_t each = geometry_.sampleFloats();
    std::vector<Range> partial(static_cast<size_t>(threads_ * count));
    parallel(threads_, [&](int t, int total) {
      for (int64_t at = count * each * t / total, end = count * each * (t + 1) / total; at < end;) {
        const int64_t i = at / each;
        const int64_t stop = std::min((i + 1) * each, end);
        Range& range = partial[static_cast<size_t>(t * count + i)];
        if (!table_.scanRange(sample(first) + at, stop - at, &range.min, &range.max)) bad_.report(first + i);
        at = stop;
      }
    });
    std::vector<Range> ranges(static_cast<size_t>(count));
    for (size_t i = 0; i < partial.size(); ++i) {
      Range& range = ranges[i % static_cast<size_t>(count)];
      range = {std::min(range.min, partial[i].min), std::max(range.max, partial[i].max)};
    }
    return ranges;
  }

  const Conv2dDynamicArgs& args_;
  const PackedConv& conv_;
  ConvGeometry geometry_;
  const KernelTable& table_;
  int threads_;
  int64_t batch_;      // samples quantized at a time
  InsideTaps inside_;  // across samples only with so many of them that no two threads share a batch
  AffineParams tensorParams_;
  FirstBad bad_;
};

// Where kernel rows are padded, a row of odd length would put its last weight and the next row's first into
// different pairs than the plain order of K does.
bool splitsPairs(const PackedConv& w) {
  const int64_t rowK = w.shape.kernelW * w.shape.groupChannels;
  return !w.isDepthwise() && w.kernelRowK != rowK && rowK % 2 != 0 && w.storage == WeightStorage::int8;
}

PackedConv withoutRowPadding(const PackedConv& w) {
  const int64_t k = w.shape.k();
  std::vector<int8_t> codes(static_cast<size_t>(w.shape.outChannels * k));
  std::vector<float> scales(static_cast<size_t>(w.shape.outChannels));  // scales by group of K forbid padding
  for (int64_t channel = 0; channel < w.shape.outChannels; ++channel) {
    scales[static_cast<size_t>(channel)] = packedConvScale(w, channel, 0);
    for (int64_t i = 0; i < k; ++i) codes[static_cast<size_t>(channel * k + i)] = packedConvCode(w, channel, i);
  }
  PackedConv plain;  // scalar: the layout without padding
  packConv(codes.data(), scales.data(), w.shape, w.bits, w.storage, w.blockSize, Isa::scalar, w.groups[0].kGroup,
           &plain);
  return plain;
}

}  // namespace

Geometry geometryOf(int64_t n, int64_t h, int64_t w, int64_t c, const Conv2dWindow& v, const ConvWeightShape& s) {
  return {n,        h,         w,           c,          v.strideH, v.strideW, v.dilationH,   v.dilationW,
          v.padTop, v.padLeft, v.padBottom, v.padRight, s.kernelH, s.kernelW, s.outChannels, s.groups};
}

Status checkConv2d(const Conv2dDynamicArgs& args, Geometry* geometry) {
  const ConvWeightShape& w = args.weights->shape;
  if (args.c != w.inChannels()) {
    return Status::invalid(kName, "x",
                           std::to_string(w.inChannels()) + " channels, as the weights " +
                               list({w.outChannels, w.kernelH, w.kernelW, w.groupChannels}) + " in " +
                               std::to_string(w.groups) + " groups have",
                           list({args.n, args.h, args.w, args.c}));
  }
  GeometryLimits limits;
  // Depthwise convolutions keep an image of as many channels as they put out.
  const int64_t times = args.weights->isDepthwise() ? std::max<int64_t>(1, w.outChannels / args.c) : 1;
  limits.maxImageBytes = static_cast<double>(kMaxImageBytes / times);
  if (Status status = checkConvolution(kName, geometry, limits); !status) return status;
  const int64_t limit = largestSafeK(kMaxBits, weightMagnitude(*args.weights), args.weights->storage);
  const int64_t span = args.weights->blockSize > 0 ? std::min(w.k(), args.weights->blockSize) : w.k();
  if (span > limit) {
    return Status::invalid(kName, "weights",
                           "KH · KW · C / groups of at most " + std::to_string(limit) + " (int32 accumulators)",
                           std::to_string(w.k()));
  }
  if (args.acc && args.weights->blockSize > 0) {
    return Status::invalid(kName, "weights", "one scale a channel for int32 output", "scales by group");
  }
  return Status::ok();
}

Status conv2dDynamic(const Conv2dDynamicArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  Geometry geometry = geometryOf(args.n, args.h, args.w, args.c, args.window, args.weights->shape);
  if (Status status = checkConv2d(args, &geometry); !status) return status;
  if (args.n == 0) return Status::ok();
  if (args.saturating16 && splitsPairs(*args.weights)) {
    const PackedConv unpadded = withoutRowPadding(*args.weights);
    Conv2dDynamicArgs same = args;
    same.weights = &unpadded;
    return DynamicConvolution(same).run();
  }
  return DynamicConvolution(args).run();
}

}  // namespace faultline
