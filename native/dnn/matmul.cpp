#include "dnn/matmul.h"

#include <unordered_map>

#include "dnn/slices.h"

namespace faultline::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

// A network has tens of shapes; a process that meets more starts over rather than grow.
constexpr size_t kMaxKept = 512;

// oneDNN shares a long k of a transposed a (the gradient of weights over many rows) among threads; from this k on,
// which is below all that it shares, we do. No slice is shorter than half of it.
constexpr int64_t kSlicedK = 1024;

int64_t slicesOf(const MatmulShape& s) {
  return s.transA && s.k >= kSlicedK ? std::min(mostSlices(s.batch * s.m * s.n), s.k / (kSlicedK / 2)) : 1;
}

struct Key {
  MatmulShape shape;
  bool bias;
  int threads;     // 0: a slice, for one thread
  int64_t wholeK;  // of the product that a slice belongs to
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    const MatmulShape& s = key.shape;
    uint64_t hash = static_cast<uint64_t>(key.threads) * 32 + (s.transA ? 16 : 0) + (s.transB ? 8 : 0) +
                    (s.sharedA ? 4 : 0) + (s.sharedB ? 2 : 0) + key.bias;
    for (const int64_t size : {s.batch, s.m, s.n, s.k, key.wholeK}) {
      hash = (hash ^ static_cast<uint64_t>(size)) * 0x9e3779b97f4a7c15ull;  // 2^64 / golden ratio
      hash ^= hash >> 29;
    }
    return hash;
  }
};

struct Kept {
  dnnl::matmul primitive;
  Desc a, b, bias, c, scratch;

  void run(const float* aData, const float* bData, const float* biasData, float* cData) const {
    std::unordered_map<int, dnnl::memory> args{
        {DNNL_ARG_SRC, over(a, aData)}, {DNNL_ARG_WEIGHTS, over(b, bData)}, {DNNL_ARG_DST, over(c, cData)}};
    if (biasData) args.insert({DNNL_ARG_BIAS, over(bias, biasData)});
    if (scratch.get_size() > 0) args.insert({DNNL_ARG_SCRATCHPAD, sliceScratch(scratch)});
    primitive.execute(stream(), args);
  }
};

Desc matrices(int64_t batch, int64_t rows, int64_t columns, bool transposed) {
  return {{batch, rows, columns}, Type::f32, transposed ? Tag::acb : Tag::abc};
}

Kept make(const Key& key) {
  const MatmulShape& s = key.shape;
  const Desc a = matrices(s.sharedA ? 1 : s.batch, s.m, s.k, s.transA);
  Desc b = matrices(s.sharedB ? 1 : s.batch, s.k, s.n, s.transB);
  if (s.transB && key.wholeK > s.k) b = Desc({1, s.k, s.n}, Type::f32, Dims{key.wholeK * s.n, 1, key.wholeK});
  const Desc c = matrices(s.batch, s.m, s.n, false);
  const Desc bias = key.bias ? Desc({1, 1, s.n}, Type::f32, Tag::abc) : Desc();
  const auto description =
      matmulDescriptor(engine(), a, b, bias, c, key.threads == 0 ? sliceAttributes() : dnnl::primitive_attr());
  return {dnnl::matmul(description), a, b, bias, c, description.scratchpad_desc()};
}

// The primitive, kept for the next product of the same shape.
const Kept& kept(const MatmulShape& shape, bool bias, int threads, int64_t wholeK) {
  thread_local std::unordered_map<Key, Kept, KeyHash> all;
  const Key key{shape, bias, threads, wholeK};
  auto found = all.find(key);
  if (found == all.end()) {
    if (all.size() >= kMaxKept) all.clear();
    found = all.emplace(key, make(key)).first;
  }
  return found->second;
}

void slicedMatmul(const MatmulShape& s, int64_t slices, const float* a, const float* b, const float* bias, float* c) {
  const OneThread one;
  const int64_t size = s.batch * s.m * s.n;
  struct Parts;
  float* parts = scratch<Parts, float>(static_cast<size_t>((slices - 1) * size));
  // Copies: what is kept may be dropped when the next is made.
  const auto made = [&](int64_t slice, bool withBias) {
    MatmulShape part{1, s.m, s.n, sliceOf(s.k, slices, slice).size, s.transA, s.transB, false, false};
    return kept(part, withBias, 0, s.k);
  };
  const Kept first = made(0, bias != nullptr), longer = made(0, false), shorter = made(slices - 1, false);
  overSlices(s.batch * slices, [&](int64_t task) {
    const int64_t item = task / slices, slice = task % slices;
    const auto [begin, count] = sliceOf(s.k, slices, slice);
    const float* from = a + (s.sharedA ? 0 : item) * s.m * s.k + begin * s.m;
    const float* by = b + (s.sharedB ? 0 : item) * s.k * s.n + (s.transB ? begin : begin * s.n);
    const int64_t to = item * s.m * s.n;
    if (slice == 0) return first.run(from, by, bias, c + to);
    const Kept& product = count < sliceOf(s.k, slices, 0).size ? shorter : longer;
    product.run(from, by, nullptr, parts + (slice - 1) * size + to);
  });
  addSlices(slices - 1, size, parts, c);
}

}  // namespace

void matmul(const MatmulShape& shape, const float* a, const float* b, const float* bias, float* c) {
  const int threads = useThreads();
  if (const int64_t slices = slicesOf(shape); slices > 1) return slicedMatmul(shape, slices, a, b, bias, c);
  kept(shape, bias != nullptr, threads, shape.k).run(a, b, bias, c);
}

}  // namespace faultline::dnn
