#include "ops/error_profile.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/saturating16.h"
#include "ops/schedule.h"

namespace faultline {
namespace {

// Rows of windows that one thread multiplies at a time: whole tiles of every instruction set (12 and 6 rows) and whole
// row blocks of the integer kernels (16).
constexpr int64_t kRowsPerTask = 48;
// Rows gathered at a time, fewer where a window is long …
constexpr int64_t kMaxRows = 20 * kRowsPerTask;
// … so that the three factors of a chunk stay below this, and the panels whose products are kept at a time.
constexpr int64_t kFactorBytes = 8 << 20;
constexpr int64_t kPanelsAtOnce = 16;
// With this many panels a thread, an uneven share costs little.
constexpr int64_t kPanelsPerThread = 8;
// Samples are split several at a time: enough for full chunks, as long as they are small.
constexpr int64_t kBatchFloats = 1 << 20;

constexpr int kFactors = 3;  // x, e_r, e_c

}  // namespace

// The windows [begin, begin + rows) of a batch, for one group of channels, and what is computed from them.
struct ErrorProfile::Chunk {
  int64_t begin = 0;
  int64_t rows = 0;
  int64_t group = 0;
  bool clips = false;

  int64_t capacity = 0;
  int64_t lda = 0;                   // elements between the rows of a factor
  int64_t tapStep = 0;               // elements between taps
  int64_t ld = 0;                    // channels between the rows of an output
  AlignedBuffer<float> factors;      // [kFactors][capacity][lda]
  AlignedBuffer<uint8_t> codes;      // depthwise: [capacity][lda]
  AlignedBuffer<float> products;     // [kPanelsAtOnce][kFactors][capacity][kProfileLanes]
  AlignedBuffer<float> exact;        // [capacity][ld]
  AlignedBuffer<float> saturated;    // [capacity][ld]
  std::vector<AffineParams> params;  // [capacity]
  std::unique_ptr<RowChunk> packed;  // the codes in the integer kernels' layout

  float* factor(int which, int64_t row) { return factors.data() + (which * capacity + row) * lda; }
  float* product(int64_t panel, int which, int64_t row) {
    return products.data() + ((panel * kFactors + which) * capacity + row) * kProfileLanes;
  }
};

ErrorProfile::ErrorProfile(const float* w, const ConvWeightShape& shape, const ErrorProfileOptions& options)
    : shape_(shape), options_(options) {
  const int64_t k = shape_.k(), channels = shape_.outChannels;
  const int64_t scaleGroups = options_.blockSize > 0 ? ceilDiv(k, options_.blockSize) : 1;
  codes_.resize(static_cast<size_t>(channels * k));
  scales_.resize(static_cast<size_t>(scaleGroups * channels));
  quantizeWeights(w, channels, k, options_.weightBits, options_.blockSize, codes_.data(), scales_.data(),
                  options_.reduceRange);
  const int64_t perBlock = channels / blocksOfChannels();
  panelsPerGroup_ = ceilDiv(perBlock, kPanel);
  if (!isDepthwise()) {
    groups_.resize(static_cast<size_t>(shape_.groups));
    std::vector<float> own(static_cast<size_t>(scaleGroups * perBlock));
    for (int64_t g = 0; g < shape_.groups; ++g) {
      for (int64_t s = 0; s < scaleGroups; ++s) {
        std::copy_n(scales_.data() + s * channels + g * perBlock, perBlock, own.data() + s * perBlock);
      }
      packMatrix(codes_.data() + g * perBlock * k, own.data(), perBlock, k, options_.weightBits, WeightStorage::int8,
                 std::max<int64_t>(options_.blockSize, 0), kernels().kGroup, &groups_[static_cast<size_t>(g)]);
    }
  }
  packPanels(w);
  addWeights(w);
  sums_.resize(static_cast<size_t>(blocksOfChannels() * panelsPerGroup_ * kProfileSums * kPanel));
  saturations_.resize(static_cast<size_t>(channels));
}

float ErrorProfile::scaleOf(int64_t channel, int64_t k) const {
  const int64_t group = options_.blockSize > 0 ? k / options_.blockSize : 0;
  return scales_[static_cast<size_t>(group * shape_.outChannels + channel)];
}

void ErrorProfile::packPanels(const float* w) {
  const int64_t k = shape_.k(), perBlock = shape_.outChannels / blocksOfChannels();
  panelWeights_ = AlignedBuffer<float>(static_cast<size_t>(blocksOfChannels() * panelsPerGroup_ * k * kProfileLanes));
  for (int64_t channel = 0; channel < shape_.outChannels; ++channel) {
    const int64_t panel = channel / perBlock * panelsPerGroup_ + channel % perBlock / kPanel;
    float* to = panelWeights_.data() + panel * k * kProfileLanes + channel % perBlock % kPanel;
    for (int64_t i = 0; i < k; ++i, to += kProfileLanes) {
      const float value = w[channel * k + i];
      const double quantized = double{scaleOf(channel, i)} * codes_[static_cast<size_t>(channel * k + i)];
      to[0] = value;
      to[kPanel] = static_cast<float>(quantized - double{value});
    }
  }
}

void ErrorProfile::addWeights(const float* w) {
  const int64_t k = shape_.k();
  weights_.largestCode = options_.reduceRange ? kReducedRangeMax : symmetricMax(options_.weightBits);
  weights_.histogram.resize(static_cast<size_t>(2 * weights_.largestCode + 1));
  for (int64_t channel = 0; channel < shape_.outChannels; ++channel) {
    double squared = 0.0;
    const int8_t* codes = codes_.data() + channel * k;
    for (int64_t i = 0; i < k; ++i) {
      const double error = codes[i] - double{w[channel * k + i]} / double{scaleOf(channel, i)};
      squared += error * error;
      ++weights_.histogram[static_cast<size_t>(codes[i] + weights_.largestCode)];
    }
    const auto [smallest, largest] = std::minmax_element(codes, codes + k);
    weights_.roundingSquared.push_back(squared);
    weights_.smallest.push_back(*smallest);
    weights_.largest.push_back(*largest);
  }
}

AffineParams ErrorProfile::choose(const SampleRange& range) const {
  return chooseAsymmetric(range.min, range.max, options_.activationBits);
}

double ErrorProfile::sum(int64_t channel, int which) const {
  const int64_t perBlock = shape_.outChannels / blocksOfChannels();
  const int64_t panel = channel / perBlock * panelsPerGroup_ + channel % perBlock / kPanel;
  return sums_[static_cast<size_t>((panel * kProfileSums + which) * kPanel + channel % perBlock % kPanel)];
}

Status ErrorProfile::add(const float* x, int64_t n, int64_t h, int64_t w, const Conv2dWindow& window,
                         const char* operation) {
  if (!dispatchStatus()) return dispatchStatus();
  PackedConv described;  // only what checkConv2d looks at
  described.shape = shape_;
  described.blockSize = std::max<int64_t>(options_.blockSize, 0);
  Conv2dDynamicArgs args;
  args.n = n;
  args.h = h;
  args.w = w;
  args.c = shape_.inChannels();
  args.window = window;
  args.weights = &described;
  Geometry geometry = geometryOf(n, h, w, args.c, window, shape_);
  if (Status status = checkConv2d(args, &geometry); !status) {
    status.operation = operation;
    return status;
  }
  if (n == 0) return Status::ok();

  SampleShape shape{h, w, args.c, shape_.kernelH, shape_.kernelW, 1, 1, window};
  shape.outH = geometry.outH;
  shape.outW = geometry.outW;
  std::vector<SampleRange> ranges(static_cast<size_t>(n));
  if (int64_t bad; !scanSamples(x, n, shape.floats(), ranges.data(), &bad)) {
    return Status::invalid(operation, "x", "finite values", "NaN or infinity in sample " + std::to_string(bad));
  }
  SampleRange common = {options_.min, options_.max};
  if (options_.range == RangeSource::perTensor) {
    common = ranges[0];
    for (const SampleRange& r : ranges) common = {std::min(common.min, r.min), std::max(common.max, r.max)};
  }
  std::vector<AffineParams> params(static_cast<size_t>(n), choose(common));
  if (options_.range == RangeSource::perSample) {
    for (int64_t i = 0; i < n; ++i) params[static_cast<size_t>(i)] = choose(ranges[static_cast<size_t>(i)]);
  }

  const ProfileKernels& table = profileKernelsFor(kernels().isa);
  const int64_t capacity =
      std::clamp<int64_t>(std::min(ceilDiv(kMaxRows, shape.outPixels()), kBatchFloats / shape.floats()), 1, n);
  SampleBatch batch(shape, capacity);
  for (int64_t begin = 0; begin < n; begin += capacity) {
    const int64_t count = std::min(capacity, n - begin);
    batch.quantize(x + begin * shape.floats(), count, ranges.data() + begin, params.data() + begin, table,
                   &activations_);
    addPixels(batch, count * shape.outPixels());
  }
  outputs_ += n * shape.outPixels();
  return Status::ok();
}

void ErrorProfile::addPixels(const SampleBatch& batch, int64_t pixels) {
  const int64_t k = shape_.k();
  Chunk chunk;
  chunk.ld = panelsPerGroup_ * kPanel;
  chunk.tapStep = isDepthwise() ? chunk.ld : shape_.groupChannels;
  // An odd number of cache lines from row to row spreads the rows over the sets of the first-level cache.
  chunk.lda = (ceilDiv(k / shape_.groupChannels * chunk.tapStep, kPanel) | 1) * kPanel;
  const int64_t fitting = kFactorBytes / (kFactors * chunk.lda * int64_t{sizeof(float)});
  chunk.capacity = std::min(std::clamp(fitting / kRowsPerTask * kRowsPerTask, kRowsPerTask, kMaxRows), pixels);
  const auto floats = [](int64_t count) { return AlignedBuffer<float>(static_cast<size_t>(count)); };
  chunk.factors = floats(kFactors * chunk.capacity * chunk.lda);
  chunk.products = floats(std::min(panelsPerGroup_, kPanelsAtOnce) * kFactors * chunk.capacity * kProfileLanes);
  chunk.exact = floats(chunk.capacity * chunk.ld);
  if (options_.saturating16 && !isDepthwise()) chunk.saturated = floats(chunk.capacity * chunk.ld);
  if (isDepthwise()) chunk.codes = AlignedBuffer<uint8_t>(static_cast<size_t>(chunk.capacity * chunk.lda));
  chunk.params.resize(static_cast<size_t>(chunk.capacity));
  chunk.clips = batch.clips();
  for (chunk.begin = 0; chunk.begin < pixels; chunk.begin += chunk.capacity) {
    chunk.rows = std::min(chunk.capacity, pixels - chunk.begin);
    for (chunk.group = 0; chunk.group < blocksOfChannels(); ++chunk.group) {
      gather(batch, &chunk);
      for (int64_t panel = 0; panel < panelsPerGroup_; panel += kPanelsAtOnce) {
        multiply(&chunk, panel, std::min(panel + kPanelsAtOnce, panelsPerGroup_));
      }
    }
  }
}

void ErrorProfile::gather(const SampleBatch& batch, Chunk* chunk) const {
  struct Row;
  const int64_t k = shape_.k();
  SampleBatch::Channels channels;
  if (isDepthwise()) {
    channels = {0, shape_.groups, shape_.outChannels / shape_.groups, chunk->tapStep};
  } else {
    channels = {chunk->group * shape_.groupChannels, shape_.groupChannels, 1, chunk->tapStep};
    chunk->packed = std::make_unique<RowChunk>(chunk->capacity, groups_[0].kBlocks);
    chunk->packed->layOut(chunk->rows);
  }
  parallel(threadsFor(chunk->rows * chunk->lda), [&](int t, int total) {
    for (int64_t i = chunk->rows * t / total; i < chunk->rows * (t + 1) / total; ++i) {
      const int64_t pixel = chunk->begin + i;
      uint8_t* codes =
          isDepthwise() ? chunk->codes.data() + i * chunk->lda : scratch<Row, uint8_t>(static_cast<size_t>(chunk->lda));
      batch.gather(pixel, channels, chunk->factor(0, i), chunk->factor(1, i), chunk->factor(2, i), codes);
      chunk->params[static_cast<size_t>(i)] = batch.params(pixel);
      if (isDepthwise()) continue;
      chunk->packed->copyRow(i, codes, k);
      chunk->packed->setRow(i, batch.params(pixel));
    }
  });
}

void ErrorProfile::multiply(Chunk* chunk, int64_t firstPanel, int64_t lastPanel) {
  const int64_t panels = lastPanel - firstPanel;
  const int64_t blocks = ceilDiv(chunk->rows, kRowsPerTask);
  const int factors = chunk->clips ? kFactors : kFactors - 1;
  const int count = threadsFor(chunk->rows * panels * kProfileLanes * factors * shape_.k());
  const auto products = [&](int64_t task) {
    const int64_t begin = task / panels * kRowsPerTask;
    multiplyPanel(*chunk, begin, std::min(kRowsPerTask, chunk->rows - begin), firstPanel + task % panels, firstPanel);
  };
  // Only one thread adds to a channel, and it adds the rows in order. Where panels share out evenly, a thread also
  // multiplies its panels without waiting; else rows are shared out first.
  const bool separate = panels % count == 0 || panels >= kPanelsPerThread * count;
  if (!separate) {
    parallel(count, [&](int t, int total) {
      for (int64_t i = blocks * panels * t / total; i < blocks * panels * (t + 1) / total; ++i) products(i);
    });
  }
  parallel(static_cast<int>(std::min<int64_t>(count, panels)), [&](int t, int total) {
    for (int64_t panel = panels * t / total; panel < panels * (t + 1) / total; ++panel) {
      for (int64_t block = 0; separate && block < blocks; ++block) products(block * panels + panel);
      accumulate(*chunk, firstPanel + panel, firstPanel);
    }
  });
}

// The products and the quantized output of rows [begin, begin + rows) with one panel.
void ErrorProfile::multiplyPanel(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel, int64_t firstPanel) {
  const ProfileKernels& table = profileKernelsFor(kernels().isa);
  const int64_t k = shape_.k();
  const float* weights = panelWeights_.data() + (chunk.group * panelsPerGroup_ + panel) * k * kProfileLanes;
  for (int f = 0; f < (chunk.clips ? kFactors : kFactors - 1); ++f) {
    float* out = chunk.product(panel - firstPanel, f, begin);
    if (isDepthwise()) {
      table.depthwise(chunk.factor(f, begin) + panel * kPanel, chunk.lda, chunk.tapStep, rows, k, weights, out);
    } else {
      table.product(chunk.factor(f, begin), chunk.lda, rows, k, weights, out);
    }
  }
  if (isDepthwise()) {
    quantizedDepthwise(chunk, begin, rows, panel);
  } else {
    quantizedOutput(chunk, begin, rows, panel);
  }
}

void ErrorProfile::accumulate(Chunk& chunk, int64_t panel, int64_t firstPanel) {
  ProfileTile tile;
  tile.rows = chunk.rows;
  tile.signal = chunk.product(panel - firstPanel, 0, 0);
  tile.rounding = chunk.product(panel - firstPanel, 1, 0);
  tile.clipping = chunk.clips ? chunk.product(panel - firstPanel, 2, 0) : nullptr;
  tile.exact = chunk.exact.data() + panel * kPanel;
  tile.saturated = chunk.saturated.size() > 0 ? chunk.saturated.data() + panel * kPanel : nullptr;
  tile.ld = chunk.ld;
  const int64_t at = (chunk.group * panelsPerGroup_ + panel) * kProfileSums * kPanel;
  profileKernelsFor(kernels().isa).accumulate(tile, sums_.data() + at);
}

// ŷ of rows [begin, begin + rows) and one panel, by the engine's kernels.
void ErrorProfile::quantizedOutput(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel) {
  GemmCall call = chunk.packed->call(groups_[static_cast<size_t>(chunk.group)], {panel, panel + 1});
  call.a += begin / kRowBlock * groups_[0].kBlocks;
  call.rows = rows;
  call.zeroPoint += begin;
  call.rowScale += begin;
  call.ld = chunk.ld;
  call.out = chunk.exact.data() + begin * chunk.ld;
  kernels().gemm(call);
  if (chunk.saturated.size() == 0) return;
  call.out = chunk.saturated.data() + begin * chunk.ld;
  gemmSaturating16(call, saturations_.data() + chunk.group * shape_.groupOutChannels());
}

// The same for a depthwise convolution: the sequence of kernels/kernel.h, tap by tap.
void ErrorProfile::quantizedDepthwise(Chunk& chunk, int64_t begin, int64_t rows, int64_t panel) const {
  const int64_t k = shape_.k();
  const int64_t channels = std::min(kPanel, shape_.outChannels - panel * kPanel);
  const int8_t* weights = codes_.data() + panel * kPanel * k;
  for (int64_t row = begin; row < begin + rows; ++row) {
    const AffineParams& params = chunk.params[static_cast<size_t>(row)];
    const uint8_t* taps = chunk.codes.data() + row * chunk.lda + panel * kPanel;
    float* out = chunk.exact.data() + row * chunk.ld + panel * kPanel;
    int32_t acc[kPanel] = {};
    for (int64_t i = 0; i < k; ++i) {
      for (int64_t n = 0; n < channels; ++n) {
        acc[n] += (taps[i * chunk.tapStep + n] - params.zeroPoint) * weights[n * k + i];
      }
    }
    for (int64_t n = 0; n < channels; ++n) {
      out[n] = static_cast<float>(acc[n]) * (params.scale * scales_[static_cast<size_t>(panel * kPanel + n)]);
    }
  }
}

}  // namespace faultline
