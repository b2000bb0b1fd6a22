// Matrix products: shapes around every tile, all bit widths, storages, granularities, epilogues and extreme scales.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/matmul.h"
#include "random.h"
#include "suite.h"

namespace faultline::isa {
namespace {

using test::Random;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// 0, 1, around tiles of 4, 6, 8 and 16 rows; around panels of 16 channels; around groups and blocks of k; primes.
const std::vector<int64_t> kRows = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 31, 32, 33};
const std::vector<int64_t> kChannels = {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 67};
const std::vector<int64_t> kLengths = {1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 257};
// From subnormal activations to ranges whose width overflows; 2^±100 is where the kernels begin to divide.
const std::vector<float> kMagnitudes = {1.0f, 1.0f, 1.0f, 1.0f, 0x1p-140f, 0x1p-126f, 0x1p-99f, 0x1p99f, 0x1.8p127f};

struct MatmulCase {
  int64_t m = 0, n = 0, k = 0;
  int weightBits = 8;
  WeightStorage storage = WeightStorage::int8;
  int64_t blockSize = 0;
  int bits = 8;
  bool perTensor = false;
  bool saturating16 = false;
  std::vector<uint8_t> rowBits;
  std::vector<float> x, bias, residual;
  PackedMatrix weights;
  Epilogue epilogue;
};

// Codes at random, or from floats by quantizeWeights; per channel, per tensor or per group.
void makeWeights(Random& random, MatmulCase* c) {
  std::vector<int8_t> codes(static_cast<size_t>(c->n * c->k));
  const int64_t groups = c->blockSize > 0 ? ceilDiv(c->k, c->blockSize) : 1;
  std::vector<float> scales(static_cast<size_t>(groups * c->n));
  if (random.chance(0.3)) {
    const std::vector<float> w = random.floats(c->n * c->k, 0.7f);
    const bool wholeTensor = c->blockSize == 0 && random.chance(0.3);
    quantizeWeights(w.data(), c->n, c->k, c->weightBits, wholeTensor ? -1 : c->blockSize, codes.data(), scales.data());
  } else {
    const int top = symmetricMax(c->weightBits);
    const int low = -top - (random.chance(0.4) ? 1 : 0);  // ONNX operands use the most negative code, too
    const bool extreme = random.chance(0.3);
    for (int8_t& code : codes) {
      code = static_cast<int8_t>(extreme && random.chance(0.8) ? low : random.integer(low, top));
    }
    for (float& scale : scales) scale = 0x1p-7f * (1.5f + random.uniform());
  }
  packMatrix(codes.data(), scales.data(), c->n, c->k, c->weightBits, c->storage, c->blockSize, kernels().kGroup,
             &c->weights);
}

MatmulCase makeCase(Random& random, WeightStorage storage, bool grouped, float magnitude) {
  MatmulCase c;
  c.m = random.pick(kRows);
  c.n = random.pick(kChannels);
  c.k = random.pick(kLengths);
  c.storage = storage;
  c.weightBits = static_cast<int>(random.integer(2, storage == WeightStorage::int4 ? 4 : 8));
  if (grouped) c.blockSize = random.pick<int64_t>({16, 32, 64, 128});
  c.bits = static_cast<int>(random.integer(2, 8));
  if (random.chance(0.5)) c.bits = 8;
  c.perTensor = random.chance(0.25);
  if (!c.perTensor && random.chance(0.25)) {
    for (int64_t i = 0; i < c.m; ++i) c.rowBits.push_back(static_cast<uint8_t>(random.integer(2, 8)));
  }
  makeWeights(random, &c);
  c.x = random.floats(c.m * c.k, magnitude);
  // Rows of one sign, rows of zeros, rows on another scale.
  for (int64_t row = 0; row < c.m; ++row) {
    const int64_t kind = random.integer(0, 5);
    for (int64_t i = 0; i < c.k; ++i) {
      float& v = c.x[static_cast<size_t>(row * c.k + i)];
      if (kind == 0) v = std::fabs(v);
      if (kind == 1) v = -std::fabs(v);
      if (kind == 2) v *= 0x1p-9f;
      if (kind == 3 && i % 7 != 0) v = 0.0f;
    }
  }
  c.bias = random.floats(c.n, 0.5f * magnitude);
  c.residual = random.floats(c.m * c.n, 0.5f * magnitude);
  return c;
}

void chooseEpilogue(Random& random, MatmulCase* c) {
  if (random.chance(0.5)) c->epilogue.bias = c->bias.data();
  if (random.chance(0.4)) c->epilogue.residual = c->residual.data();
  if (random.chance(0.4)) c->epilogue.clipMin = random.chance(0.5) ? 0.0f : -0.0f;
  if (random.chance(0.3)) c->epilogue.clipMax = random.chance(0.5) ? 6.0f : 0.0f;
}

struct MatmulResult {
  std::vector<float> out, scale;
  std::vector<int32_t> acc, zeroPoint;
  std::vector<int64_t> saturations;
  bool ok = false;

  bool operator==(const MatmulResult& other) const {
    return ok == other.ok && sameBits(out, other.out) && sameBits(scale, other.scale) && sameBits(acc, other.acc) &&
           sameBits(zeroPoint, other.zeroPoint);
  }
};

// The rows [begin, begin + count) of a case, as a product of their own.
MatmulResult compute(const MatmulCase& c, bool accumulators, int64_t begin, int64_t count) {
  MatmulResult r;
  const auto outputs = static_cast<size_t>(count * c.n);
  r.scale.resize(static_cast<size_t>(count));
  r.zeroPoint.resize(static_cast<size_t>(count));
  accumulators ? r.acc.resize(outputs) : r.out.resize(outputs);
  MatmulDynamicArgs args;
  args.x = c.x.data() + begin * c.k;
  args.m = count;
  args.ldx = c.k;
  args.weights = &c.weights;
  args.perTensor = c.perTensor;
  args.bits = c.bits;
  args.rowBits = c.rowBits.empty() ? nullptr : c.rowBits.data() + begin;
  args.out = accumulators ? nullptr : r.out.data();
  args.acc = accumulators ? r.acc.data() : nullptr;
  args.epilogue = c.epilogue;
  if (args.epilogue.residual) args.epilogue.residual += begin * c.n;
  args.rowScale = r.scale.data();
  args.rowZeroPoint = r.zeroPoint.data();
  args.saturating16 = c.saturating16;
  if (c.saturating16) {
    r.saturations.resize(static_cast<size_t>(c.n));
    args.saturations = r.saturations.data();
  }
  r.ok = static_cast<bool>(matmulDynamic(args));
  return r;
}

MatmulResult rowsOf(const MatmulResult& all, const MatmulCase& c, int64_t begin, int64_t count) {
  const auto slice = [](const auto& v, int64_t from, int64_t size) {
    auto s = v;
    s.clear();
    if (!v.empty()) s.assign(v.begin() + from, v.begin() + from + size);
    return s;
  };
  MatmulResult r;
  r.ok = all.ok;
  r.out = slice(all.out, begin * c.n, count * c.n);
  r.acc = slice(all.acc, begin * c.n, count * c.n);
  r.scale = slice(all.scale, begin, count);
  r.zeroPoint = slice(all.zeroPoint, begin, count);
  return r;
}

void run(Random& random, const MatmulCase& c, bool accumulators, Family* family) {
  family->count();
  const MatmulResult all = compute(c, accumulators, 0, c.m);
  family->require(all.ok, "refused");
  family->hash().add(all.out);
  family->hash().add(all.acc);
  family->hash().add(all.scale);
  family->hash().add(all.zeroPoint);
  for (const int64_t events : all.saturations) family->hash().add(static_cast<int32_t>(events));
  if (c.m < 2 || !random.chance(0.3)) return;
  setThreads(3);
  family->require(compute(c, accumulators, 0, c.m) == all, "three threads give another result");
  setThreads(1);
  if (c.perTensor) return;
  const int64_t begin = random.integer(0, c.m - 1);
  const int64_t count = random.integer(1, c.m - begin);
  family->require(compute(c, accumulators, begin, count) == rowsOf(all, c, begin, count),
                  "rows alone give another result");
}

// Quantized operands as they come from an ONNX model: all of u8, all of s8, zero points at random.
void runIntegers(Family* family) {
  Random random(401);
  for (int i = 0; i < 300; ++i) {
    MatmulCase c = makeCase(random, WeightStorage::int8, false, 1.0f);
    std::vector<uint8_t> a(static_cast<size_t>(c.m * c.k));
    for (uint8_t& v : a) v = random.chance(0.3) ? 255 : static_cast<uint8_t>(random.next());
    std::vector<int32_t> zeroPoint(static_cast<size_t>(c.m)), acc(static_cast<size_t>(c.m * c.n));
    for (int32_t& z : zeroPoint) z = static_cast<int32_t>(random.integer(0, 255));
    family->count();
    const bool ok = static_cast<bool>(
        matmulU8(a.data(), c.m, c.k, c.weights, random.chance(0.2) ? nullptr : zeroPoint.data(), acc.data()));
    family->require(ok, "refused");
    family->hash().add(acc);
  }
}

bool runFamily(const char* name, uint64_t seed, int cases, WeightStorage storage, bool grouped, bool accumulators,
               bool saturating16) {
  Family family(name);
  Random random(seed);
  for (int i = 0; i < cases; ++i) {
    MatmulCase c = makeCase(random, storage, grouped, random.pick(kMagnitudes));
    c.saturating16 = saturating16;
    if (!accumulators) chooseEpilogue(random, &c);
    run(random, c, accumulators, &family);
  }
  return family.print();
}

bool runHuge() {
  Family family("matmul huge");
  Random random(9);
  for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
    MatmulCase c;
    c.m = 37;
    c.n = 83;
    c.k = 4201;
    c.storage = storage;
    c.weightBits = storage == WeightStorage::int4 ? 4 : 8;
    makeWeights(random, &c);
    c.x = random.floats(c.m * c.k, 1.0f);
    run(random, c, true, &family);
    run(random, c, false, &family);
  }
  return family.print();
}

}  // namespace

bool runMatmul() {
  setThreads(1);
  constexpr WeightStorage k8 = WeightStorage::int8, k4 = WeightStorage::int4;
  Family integers("matmul u8");
  runIntegers(&integers);
  bool ok = integers.print();
  ok = runFamily("matmul int8 s32", 1, 600, k8, false, true, false) && ok;
  ok = runFamily("matmul int8 f32", 2, 800, k8, false, false, false) && ok;
  ok = runFamily("matmul int8 groups", 3, 500, k8, true, false, false) && ok;
  ok = runFamily("matmul int4 s32", 4, 400, k4, false, true, false) && ok;
  ok = runFamily("matmul int4 f32", 5, 500, k4, false, false, false) && ok;
  ok = runFamily("matmul int4 groups", 6, 500, k4, true, false, false) && ok;
  ok = runFamily("matmul saturating16", 7, 200, k8, false, true, true) && ok;
  return runHuge() && ok;
}

}  // namespace faultline::isa
