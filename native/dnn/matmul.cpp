#include "dnn/matmul.h"

#include <unordered_map>

#include "dnn/engine.h"

namespace faultline::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

// A network has tens of shapes; a process that meets more starts over rather than grow.
constexpr size_t kMaxKept = 512;

struct Key {
  MatmulShape shape;
  bool bias;
  int threads;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    const MatmulShape& s = key.shape;
    uint64_t hash = static_cast<uint64_t>(key.threads) * 32 + (s.transA ? 16 : 0) + (s.transB ? 8 : 0) +
                    (s.sharedA ? 4 : 0) + (s.sharedB ? 2 : 0) + key.bias;
    for (const int64_t size : {s.batch, s.m, s.n, s.k}) {
      hash = (hash ^ static_cast<uint64_t>(size)) * 0x9e3779b97f4a7c15ull;  // 2^64 / golden ratio
      hash ^= hash >> 29;
    }
    return hash;
  }
};

struct Kept {
  dnnl::matmul primitive;
  dnnl::memory a, b, bias, c;
};

Desc matrices(int64_t batch, int64_t rows, int64_t columns, bool transposed) {
  return {{batch, rows, columns}, Type::f32, transposed ? Tag::acb : Tag::abc};
}

Kept make(const Key& key) {
  const MatmulShape& s = key.shape;
  const Desc a = matrices(s.sharedA ? 1 : s.batch, s.m, s.k, s.transA);
  const Desc b = matrices(s.sharedB ? 1 : s.batch, s.k, s.n, s.transB);
  const Desc c = matrices(s.batch, s.m, s.n, false);
  const Desc bias = key.bias ? Desc({1, 1, s.n}, Type::f32, Tag::abc) : Desc();
  Kept made{dnnl::matmul(matmulDescriptor(engine(), a, b, bias, c)),
            over(a, nullptr),
            over(b, nullptr),
            {},
            over(c, nullptr)};
  if (key.bias) made.bias = over(bias, nullptr);
  return made;
}

}  // namespace

void matmul(const MatmulShape& shape, const float* a, const float* b, const float* bias, float* c) {
  thread_local std::unordered_map<Key, Kept, KeyHash> kept;
  const Key key{shape, bias != nullptr, useThreads()};
  auto found = kept.find(key);
  if (found == kept.end()) {
    if (kept.size() >= kMaxKept) kept.clear();
    found = kept.emplace(key, make(key)).first;
  }
  Kept& k = found->second;
  k.a.set_data_handle(const_cast<float*>(a));
  k.b.set_data_handle(const_cast<float*>(b));
  k.c.set_data_handle(c);
  std::unordered_map<int, dnnl::memory> args{{DNNL_ARG_SRC, k.a}, {DNNL_ARG_WEIGHTS, k.b}, {DNNL_ARG_DST, k.c}};
  if (bias) {
    k.bias.set_data_handle(const_cast<float*>(bias));
    args.insert({DNNL_ARG_BIAS, k.bias});
  }
  k.primitive.execute(stream(), args);
}

}  // namespace faultline::dnn
