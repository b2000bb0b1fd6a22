// Convolutions: strides, dilations, one-sided padding, groups, depthwise, all bit widths and storages.
#include <algorithm>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/conv2d.h"
#include "random.h"
#include "suite.h"

namespace faultline::isa {
namespace {

using test::Random;

struct ConvCase {
  int64_t n = 1, h = 1, w = 1;
  ConvWeightShape shape;
  Conv2dWindow window;
  int bits = 8;
  bool perTensor = false;
  std::vector<uint8_t> sampleBits;
  std::vector<float> x, bias, residual;
  PackedConv weights;
  Epilogue epilogue;

  int64_t outPixels() const {
    return windowOutputs(h, shape.kernelH, window.strideH, window.dilationH, window.padTop, window.padBottom) *
           windowOutputs(w, shape.kernelW, window.strideW, window.dilationW, window.padLeft, window.padRight);
  }
  int64_t sampleSize() const { return h * w * shape.inChannels(); }
};

Conv2dWindow makeWindow(Random& random, const ConvWeightShape& shape) {
  Conv2dWindow w;
  w.strideH = random.integer(1, 2);
  w.strideW = random.integer(1, 2);
  w.dilationH = random.chance(0.2) ? 2 : 1;
  w.dilationW = random.chance(0.2) ? 2 : 1;
  w.padTop = random.integer(0, shape.kernelH / 2);
  w.padBottom = random.integer(0, shape.kernelH / 2);
  w.padLeft = random.integer(0, shape.kernelW / 2);
  w.padRight = random.integer(0, shape.kernelW / 2);
  return w;
}

// groupsOfK: scales by group of K; batch: enough small samples to be multiplied side by side.
enum class Kind { plain, groupsOfK, depthwise, batch };

ConvCase makeCase(Random& random, Kind kind) {
  const bool depthwise = kind == Kind::depthwise, grouped = kind == Kind::groupsOfK;
  ConvCase c;
  c.n = kind == Kind::batch ? random.integer(16, 40) : random.integer(1, 3);
  c.shape.kernelH = random.pick<int64_t>({1, 2, 3, 3, 3, 5, 7});
  c.shape.kernelW = random.pick<int64_t>({1, 2, 3, 3, 3, 5});
  if (depthwise) {
    c.shape.groups = random.pick<int64_t>({2, 7, 8, 15, 16, 17, 33});
    c.shape.groupChannels = 1;
    c.shape.outChannels = c.shape.groups;
  } else {
    c.shape.groups = grouped ? 1 : random.pick<int64_t>({1, 1, 2, 3});
    c.shape.groupChannels =
        kind == Kind::batch ? random.pick<int64_t>({16, 64}) : random.pick<int64_t>({2, 3, 5, 16, 17, 64});
    c.shape.outChannels = c.shape.groups * random.pick<int64_t>({1, 5, 16, 19});
  }
  c.window = makeWindow(random, c.shape);
  c.h = (c.shape.kernelH - 1) * c.window.dilationH + random.integer(1, 6);
  c.w = (c.shape.kernelW - 1) * c.window.dilationW + random.integer(1, 9);
  c.bits = random.chance(0.5) ? 8 : static_cast<int>(random.integer(2, 8));
  c.perTensor = random.chance(0.2);
  if (!c.perTensor && random.chance(0.3)) {
    for (int64_t i = 0; i < c.n; ++i) c.sampleBits.push_back(static_cast<uint8_t>(random.integer(2, 8)));
  }

  const bool int4 = !depthwise && random.chance(0.4);
  const int weightBits = static_cast<int>(random.integer(2, int4 ? 4 : 8));
  const int64_t blockSize = grouped ? random.pick<int64_t>({16, 32, 64, 128}) : 0;
  const int64_t k = c.shape.k();
  const int low = -symmetricMax(weightBits) - (random.chance(0.4) ? 1 : 0);
  std::vector<int8_t> codes(static_cast<size_t>(c.shape.outChannels * k));
  for (int8_t& code : codes) code = static_cast<int8_t>(random.integer(low, symmetricMax(weightBits)));
  std::vector<float> scales(static_cast<size_t>((blockSize > 0 ? ceilDiv(k, blockSize) : 1) * c.shape.outChannels));
  for (float& scale : scales) scale = 0x1p-7f * (1.5f + random.uniform());
  packConv(codes.data(), scales.data(), c.shape, weightBits, int4 ? WeightStorage::int4 : WeightStorage::int8,
           blockSize, kernels().isa, kernels().kGroup, &c.weights);

  c.x = random.floats(c.n * c.sampleSize(), 2.0f);
  for (int64_t i = 0; i < c.n * c.sampleSize(); ++i) {  // each sample with a range of its own
    c.x[static_cast<size_t>(i)] += 0.3f * static_cast<float>(i / c.sampleSize() % 5);
  }
  c.bias = random.floats(c.shape.outChannels, 2.0f);
  c.residual = random.floats(c.n * c.outPixels() * c.shape.outChannels, 2.0f);
  return c;
}

struct ConvResult {
  std::vector<float> out, scale;
  std::vector<int32_t> acc, zeroPoint;
  bool ok = false;
};

// The samples [begin, begin + count), as a convolution of their own.
ConvResult compute(const ConvCase& c, bool accumulators, int64_t begin, int64_t count) {
  ConvResult r;
  const int64_t outSample = c.outPixels() * c.shape.outChannels;
  accumulators ? r.acc.resize(static_cast<size_t>(count * outSample))
               : r.out.resize(static_cast<size_t>(count * outSample));
  r.scale.resize(static_cast<size_t>(count));
  r.zeroPoint.resize(static_cast<size_t>(count));
  Conv2dDynamicArgs args;
  args.x = c.x.data() + begin * c.sampleSize();
  args.n = count;
  args.h = c.h;
  args.w = c.w;
  args.c = c.shape.inChannels();
  args.window = c.window;
  args.weights = &c.weights;
  args.perTensor = c.perTensor;
  args.bits = c.bits;
  args.sampleBits = c.sampleBits.empty() ? nullptr : c.sampleBits.data() + begin;
  args.out = accumulators ? nullptr : r.out.data();
  args.acc = accumulators ? r.acc.data() : nullptr;
  args.epilogue = c.epilogue;
  if (args.epilogue.residual) args.epilogue.residual += begin * outSample;
  args.sampleScale = r.scale.data();
  args.sampleZeroPoint = r.zeroPoint.data();
  r.ok = static_cast<bool>(conv2dDynamic(args));
  return r;
}

template <typename T>
bool isSlice(const std::vector<T>& part, const std::vector<T>& all, int64_t begin) {
  return part.empty() || std::memcmp(part.data(), all.data() + begin, part.size() * sizeof(T)) == 0;
}

void run(Random& random, const ConvCase& c, bool accumulators, Family* family) {
  family->count();
  const ConvResult all = compute(c, accumulators, 0, c.n);
  family->require(all.ok, "refused");
  family->hash().add(all.out);
  family->hash().add(all.acc);
  family->hash().add(all.scale);
  family->hash().add(all.zeroPoint);
  if (!random.chance(0.3)) return;
  setThreads(3);
  const ConvResult threaded = compute(c, accumulators, 0, c.n);
  setThreads(1);
  family->require(sameBits(threaded.out, all.out) && sameBits(threaded.acc, all.acc),
                  "three threads give another result");
  if (c.perTensor) return;
  const int64_t sample = random.integer(0, c.n - 1);
  const ConvResult alone = compute(c, accumulators, sample, 1);
  const int64_t at = sample * c.outPixels() * c.shape.outChannels;
  family->require(isSlice(alone.out, all.out, at) && isSlice(alone.acc, all.acc, at),
                  "a sample alone gives another result");
}

bool runFamily(const char* name, uint64_t seed, int cases, Kind kind) {
  Family family(name);
  Random random(seed);
  for (int i = 0; i < cases; ++i) {
    ConvCase c = makeCase(random, kind);
    const bool accumulators = kind != Kind::groupsOfK && random.chance(0.3);
    if (!accumulators) {
      if (random.chance(0.5)) c.epilogue.bias = c.bias.data();
      if (random.chance(0.4)) c.epilogue.residual = c.residual.data();
      if (random.chance(0.4)) c.epilogue.clipMin = 0.0f;
      if (random.chance(0.3)) c.epilogue.clipMax = 6.0f;
    }
    run(random, c, accumulators, &family);
  }
  return family.print();
}

}  // namespace

bool runConv() {
  setThreads(1);
  bool ok = runFamily("conv2d", 21, 400, Kind::plain);
  ok = runFamily("conv2d groups of k", 22, 200, Kind::groupsOfK) && ok;
  ok = runFamily("conv2d depthwise", 23, 300, Kind::depthwise) && ok;
  return runFamily("conv2d batches", 24, 40, Kind::batch) && ok;
}

}  // namespace faultline::isa
