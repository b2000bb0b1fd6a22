// gemm of every kernel table this machine can run, against the definition in kernels/kernel.h, element by element.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "random.h"
#include "tables.h"

namespace faultline {
namespace {

using test::name;
using test::Random;
using test::tables;

struct Shape {
  int64_t rows, n, k;
};

struct GemmCase {
  Shape shape;
  WeightStorage storage = WeightStorage::int8;
  int weightBits = 8;
  int64_t blockSize = 0;
  bool mostNegative = false;  // codes down to −2^(bits−1), as ONNX operands have
  bool extreme = false;       // all activations and weights at their limits: pair sums beyond 16 bits
  bool bias = false, residual = false, clip = false, accumulators = false;
  int64_t rowPadding = 0;  // extra bytes between rows
  int64_t extraLd = 0;
  KRuns part = {};  // with a step: of K only this part, groups of 8
  // All rows have one zero point, which the first row holds in so many blocks at the beginning of every run of `part`,
  // and the last row in so many at its end.
  int64_t firstEdge = 0, lastEdge = 0;
  bool multiplies(int64_t k) const {
    const int64_t block = k / kBlockK - part.begin;
    return part.step == 0 ||
           (block >= 0 && block < part.end - part.begin && block % part.step * kBlockK + k % kBlockK < part.groups * 8);
  }
  int64_t blockInRun(int64_t k) const { return (k / kBlockK - part.begin) % part.step; }
  bool inFirstEdge(int64_t k) const { return blockInRun(k) < firstEdge; }
  bool inLastEdge(int64_t k) const { return blockInRun(k) >= part.groups * 8 / kBlockK - lastEdge; }
};

// Operands of one product in plain row-major form, and in the form that one table reads.
class Product {
 public:
  Product(const GemmCase& c, uint64_t seed) : case_(c) {
    Random random(seed);
    const auto [rows, n, k] = c.shape;
    const int32_t top = symmetricMax(c.weightBits);
    codes_.resize(static_cast<size_t>(n * k));
    for (int8_t& code : codes_) {
      code = static_cast<int8_t>(c.extreme ? (random.chance(0.9) ? -top - c.mostNegative : top)
                                           : random.integer(-top - c.mostNegative, top));
    }
    for (int64_t i = 0; i < n * k; ++i) {  // a block that a run cuts holds no other weights
      const int64_t col = i % k;
      if (!c.multiplies(col) && c.multiplies(col / kBlockK * kBlockK)) codes_[static_cast<size_t>(i)] = 0;
    }
    groups_ = c.blockSize > 0 ? ceilDiv(k, c.blockSize) : 1;
    for (int64_t i = 0; i < groups_ * n; ++i) scales_.push_back(0.01f * (1.5f + random.uniform()));
    a_.resize(static_cast<size_t>(rows * k));
    for (uint8_t& a : a_) a = static_cast<uint8_t>(c.extreme && random.chance(0.9) ? 255 : random.integer(0, 255));
    for (int64_t i = 0; i < rows; ++i) {
      zeroPoint_.push_back(static_cast<int32_t>(random.integer(0, 255)));
      rowScale_.push_back(0.02f * (1.5f + random.uniform()));
    }
    if (c.firstEdge + c.lastEdge > 0) {
      std::fill(zeroPoint_.begin(), zeroPoint_.end(), zeroPoint_[0]);
      std::fill(rowScale_.begin(), rowScale_.end(), rowScale_[0]);
      const uint8_t zero = static_cast<uint8_t>(zeroPoint_[0]);
      for (int64_t i = 0; i < k; ++i) {
        if (!c.multiplies(i)) continue;
        if (c.inFirstEdge(i)) a_[at(i)] = zero;
        if (c.inLastEdge(i)) a_[at((rows - 1) * k + i)] = zero;
      }
    }
    bias_ = random.floats(n, 10.0f);
    ld_ = n + c.extraLd;
    residual_ = random.floats(rows * ld_, 5.0f);
    epilogue_.bias = c.bias ? bias_.data() : nullptr;
    epilogue_.residual = c.residual ? residual_.data() : nullptr;
    if (c.clip) {
      epilogue_.clipMin = 0.0f;
      epilogue_.clipMax = 6.0f;
    }
  }

  struct Result {
    std::vector<float> out;
    std::vector<int32_t> acc;
    // Bits are compared: −0 is not +0.
    bool operator==(const Result& other) const {
      return acc == other.acc && out.size() == other.out.size() &&
             (out.empty() || std::memcmp(out.data(), other.out.data(), out.size() * sizeof(float)) == 0);
    }
  };

  // The definition, element by element.
  Result defined() const {
    Result result = blank();
    const auto [rows, n, k] = case_.shape;
    const int64_t span = case_.blockSize > 0 ? case_.blockSize : std::max<int64_t>(k, 1);
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t c = 0; c < n; ++c) {
        float t = 0.0f, y = 0.0f;
        const float bias = epilogue_.bias ? epilogue_.bias[c] : 0.0f;
        for (int64_t g = 0; g < groups_; ++g) {
          int32_t sum = 0;
          for (int64_t i = g * span; i < std::min(k, (g + 1) * span); ++i) {
            if (!case_.multiplies(i)) continue;
            sum += (a_[at(m * k + i)] - zeroPoint_[at(m)]) * codes_[at(c * k + i)];
          }
          const float scale = scales_[at(g * n + c)];
          if (case_.accumulators) {
            result.acc[at(m * ld_ + c)] = sum;
          } else if (case_.blockSize > 0) {
            t = std::fmaf(static_cast<float>(sum), scale, t);
          } else {
            y = std::fmaf(static_cast<float>(sum), rowScale_[at(m)] * scale, bias);
          }
        }
        if (case_.accumulators) continue;
        if (case_.blockSize > 0) y = std::fmaf(t, rowScale_[at(m)], bias);
        if (epilogue_.residual) y += epilogue_.residual[m * ld_ + c];
        y = y < epilogue_.clipMin ? epilogue_.clipMin : y;
        result.out[at(m * ld_ + c)] = y > epilogue_.clipMax ? epilogue_.clipMax : y;
      }
    }
    return result;
  }

  // By one table, over the panels [0, split) and [split, end) in two calls.
  Result by(const KernelTable* table, int64_t split) const {
    Result result = blank();
    const auto [rows, n, k] = case_.shape;
    PackedMatrix w;
    packMatrix(codes_.data(), scales_.data(), n, k, case_.weightBits, case_.storage, case_.blockSize, table->kGroup,
               &w);
    // Row blocks of 16 rows; bytes past K and between rows are garbage on purpose.
    const int64_t rowStride = kBlockK + case_.rowPadding;
    const int64_t blocks = ceilDiv(rows, kRowBlock) * w.kBlocks;
    AlignedBuffer<uint8_t> a(at(std::max<int64_t>(blocks, 1) * kRowBlock * rowStride));
    std::memset(a.data(), 0xa5, a.size());
    std::vector<const uint8_t*> addresses;
    // Row blocks lie anywhere; with edges, one after the other.
    const auto place = [&](int64_t block) {
      if (case_.firstEdge + case_.lastEdge == 0) return block * kRowBlock * rowStride;
      return (block % w.kBlocks * ceilDiv(rows, kRowBlock) + block / w.kBlocks) * kRowBlock * rowStride;
    };
    for (int64_t i = 0; i < blocks; ++i) addresses.push_back(a.data() + place(i));
    for (int64_t m = 0; m < rows; ++m) {
      for (int64_t i = 0; i < k; ++i) {
        const int64_t block = m / kRowBlock * w.kBlocks + i / kBlockK;
        a[at(place(block) + m % kRowBlock * rowStride + i % kBlockK)] = a_[at(m * k + i)];
      }
    }
    GemmCall call;
    call.a = addresses.data();
    call.aRowStride = rowStride;
    call.rows = rows;
    call.setWeights(w);
    std::vector<int32_t> sums(at(w.paddedN()), 0), firstSums(sums), lastSums(sums);
    if (case_.part.step > 0) {
      call.runs = case_.part;
      call.runs.groups = case_.part.groups * 8 / w.kGroup;
      for (int64_t i = 0; i < n * k; ++i) {
        if (!case_.multiplies(i % k)) continue;
        sums[at(i / k)] += codes_[at(i)];
        if (!case_.inFirstEdge(i % k)) firstSums[at(i / k)] += codes_[at(i)];
        if (!case_.inLastEdge(i % k)) lastSums[at(i / k)] += codes_[at(i)];
      }
      call.sums = sums.data();
      call.firstRow = {case_.firstEdge, firstSums.data()};
      call.lastRow = {case_.lastEdge, lastSums.data()};
      call.sameParams = case_.firstEdge + case_.lastEdge > 0;
      // Neither read nor asked for.
      for (int64_t i = 0; i < blocks; ++i) {
        if (!case_.multiplies(i % w.kBlocks * kBlockK)) addresses[at(i)] = nullptr;
      }
      call.a = addresses.data();
    }
    AlignedBuffer<uint8_t> expanded(at(2 * w.kBlocks * kInt8BlockBytes));
    call.expanded = expanded.data();
    call.zeroPoint = zeroPoint_.data();
    call.rowScale = rowScale_.data();
    call.out = case_.accumulators ? nullptr : result.out.data();
    call.acc = case_.accumulators ? result.acc.data() : nullptr;
    call.ld = ld_;
    call.epilogue = epilogue_;
    split = std::min(split, w.panels);
    call.panelEnd = split;
    table->gemm(call);
    call.panelBegin = split;
    call.panelEnd = w.panels;
    table->gemm(call);
    return result;
  }

 private:
  static size_t at(int64_t i) { return static_cast<size_t>(i); }
  // Outputs full of a value that no product gives: what is not written is compared too.
  Result blank() const {
    const size_t count = at(case_.shape.rows * ld_);
    Result result;
    if (case_.accumulators) {
      result.acc.assign(count, -123456789);
    } else {
      result.out.assign(count, -1234.5f);
    }
    return result;
  }

  GemmCase case_;
  int64_t groups_ = 1, ld_ = 0;
  std::vector<int8_t> codes_;
  std::vector<float> scales_, rowScale_, bias_, residual_;
  std::vector<uint8_t> a_;
  std::vector<int32_t> zeroPoint_;
  Epilogue epilogue_;
};

void check(const GemmCase& c, uint64_t seed) {
  CAPTURE(c.shape.rows);
  CAPTURE(c.shape.n);
  CAPTURE(c.shape.k);
  CAPTURE(static_cast<int>(c.storage));
  CAPTURE(c.weightBits);
  CAPTURE(c.blockSize);
  CAPTURE(c.accumulators);
  const Product product(c, seed);
  const Product::Result wanted = product.defined();
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    REQUIRE(product.by(table, 1) == wanted);
    REQUIRE(product.by(table, 0) == wanted);
  }
}

TEST_CASE("gemm: a part of K, in runs of whole and of cut blocks") {
  uint64_t seed = 600;
  const KRuns parts[] = {{0, 9, 9, 72}, {1, 9, 3, 8}, {0, 6, 3, 16}, {3, 9, 3, 13},
                         {2, 9, 3, 1},  {4, 5, 1, 8}, {0, 0, 3, 8}};
  for (const KRuns& part : parts) {
    for (const int64_t rows : {1, 3, 4, 8, 16, 21, 32, 40}) {
      for (const int64_t n : {5, 16, 33, 64}) {
        for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
          GemmCase c = {.shape = {rows, n, 9 * kBlockK}, .storage = storage};
          c.weightBits = storage == WeightStorage::int4 ? 4 : static_cast<int>(3 + seed % 6);
          c.accumulators = seed % 3 == 0;
          c.bias = seed % 2 == 0;
          c.rowPadding = 64;
          c.part = part;
          check(c, seed++);
        }
      }
    }
  }
}

TEST_CASE("gemm: blocks that the first and the last row have in the padding") {
  uint64_t seed = 1200;
  const std::pair<int64_t, int64_t> edges[] = {{1, 0}, {0, 1}, {1, 1}, {2, 1}, {3, 0}, {1, 2}};
  for (const auto& [first, last] : edges) {
    for (const int64_t rows : {2, 3, 4, 7, 8, 9, 14, 15, 16, 17, 28, 40}) {
      for (const int64_t n : {5, 16, 33, 64}) {
        for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
          GemmCase c = {.shape = {rows, n, 9 * kBlockK}, .storage = storage};
          c.weightBits = storage == WeightStorage::int4 ? 4 : 8;
          c.accumulators = seed % 3 == 0;
          c.bias = seed % 2 == 0;
          c.clip = seed % 5 == 0;
          c.residual = seed % 7 == 0;
          c.extraLd = 3;
          c.part = {seed % 2 == 0 ? 0 : 3, 9, 3, 3 * kBlockK / 8};
          c.firstEdge = first;
          c.lastEdge = last;
          check(c, seed++);
        }
      }
    }
  }
}

TEST_CASE("gemm: edge shapes, every storage, both outputs") {
  uint64_t seed = 1;
  for (const int64_t rows : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33}) {
    for (const int64_t n : {1, 15, 16, 17, 33, 80}) {
      for (const int64_t k : {1, 3, 4, 5, 8, 63, 64, 65, 131}) {
        for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
          GemmCase c = {.shape = {rows, n, k}, .storage = storage};
          c.weightBits = storage == WeightStorage::int4 ? 4 : 8;
          c.accumulators = seed % 3 == 0;
          c.bias = seed % 2 == 0;
          c.clip = seed % 5 == 0;
          c.residual = seed % 7 == 0;
          c.rowPadding = seed % 4 == 0 ? 64 : 0;
          check(c, seed++);
        }
      }
    }
  }
}

TEST_CASE("gemm: random shapes with all options") {
  Random random(3);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    GemmCase c;
    c.shape = {random.integer(1, 40), random.integer(1, 130), random.integer(1, 400)};
    c.storage = random.chance(0.5) ? WeightStorage::int4 : WeightStorage::int8;
    c.weightBits = static_cast<int>(random.integer(2, c.storage == WeightStorage::int4 ? 4 : 8));
    c.blockSize = random.pick<int64_t>({0, 0, 16, 32, 64, 128, 256});
    c.mostNegative = random.chance(0.5);
    c.extreme = random.chance(0.5);
    c.bias = random.chance(0.5);
    c.residual = random.chance(0.5);
    c.clip = random.chance(0.5);
    c.accumulators = c.blockSize == 0 && random.chance(0.4);
    c.rowPadding = random.pick<int64_t>({0, 0, 64, 192});
    c.extraLd = random.pick<int64_t>({0, 0, 1, 48});
    check(c, seed);
  }
}

TEST_CASE("gemm: a long reduction at the limits of the operands stays exact") {
  for (const bool mostNegative : {false, true}) {
    for (const WeightStorage storage : {WeightStorage::int8, WeightStorage::int4}) {
      GemmCase c = {.shape = {17, 33, 4099}, .storage = storage};
      c.weightBits = storage == WeightStorage::int4 ? 4 : 8;
      c.mostNegative = mostNegative;
      c.extreme = true;
      c.accumulators = true;
      check(c, 5);
    }
  }
}

TEST_CASE("gemm: a clip leaves a zero of either sign and a NaN as they are, and infinite limits change nothing") {
  // Channel scales of zero make every product −0 (codes 0, zero point 5: −5 · 0); the bias decides what comes of it.
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  for (const KernelTable* table : tables()) {
    CAPTURE(name(table));
    const std::vector<int8_t> codes(32, 1);
    const std::vector<float> scales(32, 0.0f), rowScale(1, 1.0f);
    PackedMatrix w;
    packMatrix(codes.data(), scales.data(), 32, 1, 8, WeightStorage::int8, 0, table->kGroup, &w);
    const AlignedBuffer<uint8_t> a(static_cast<size_t>(kRowBlock * kBlockK));
    const uint8_t* address = a.data();
    const int32_t zeroPoint = 5;
    for (const float value : {0.0f, -0.0f, std::numeric_limits<float>::quiet_NaN()}) {
      for (const float lo : {0.0f, -0.0f, -kInfinite}) {
        for (const float hi : {0.0f, -0.0f, 1.0f, kInfinite}) {
          for (const bool same : {false, true}) {
            const std::vector<float> bias(32, value);
            std::vector<float> out(32);
            GemmCall call;
            call.a = &address;
            call.rows = 1;
            call.setWeights(w);
            call.panelEnd = w.panels;
            call.zeroPoint = &zeroPoint;
            call.rowScale = rowScale.data();
            call.sameParams = same;
            call.out = out.data();
            call.ld = 32;
            call.epilogue = {bias.data(), nullptr, lo, hi};
            table->gemm(call);
            for (const float y : out) {
              REQUIRE(std::isnan(y) == std::isnan(value));
              if (!std::isnan(value)) REQUIRE(std::signbit(y) == std::signbit(value));
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace faultline
