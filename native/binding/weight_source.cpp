#include "binding/weight_source.h"

#include <algorithm>
#include <cmath>

#include "quant/affine.h"

namespace faultline::binding {
namespace {

// Index of the first element that is NaN or infinite, or −1.
int64_t firstNonFinite(const float* w, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(w[i])) return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace

WeightArgs::WeightArgs(const Args& args, size_t bitsAt) {
  const size_t int4At = bitsAt + 1, blockSizeAt = bitsAt + 2, reduceRangeAt = bitsAt + 4;
  scalesAt = bitsAt + 3;
  bits = static_cast<int>(args.integer(bitsAt, "bits", kMinBits, kMaxBits));
  storage = args.boolean(int4At) ? WeightStorage::int4 : WeightStorage::int8;
  blockSize = args.integer(blockSizeAt, "blockSize", kScalePerTensor, kMaxBlockSize);
  reduceRange = args.boolean(reduceRangeAt);
}

WeightSource readWeights(const Args& args, int64_t n, int64_t k, const WeightArgs& how) {
  constexpr size_t kWeights = 0;
  const auto [bits, storage, blockSize, reduceRange, scalesAt] = how;
  if (blockSize > 0 && !isBlockSize(blockSize)) {
    args.refuse("blockSize",
                "a power of two from " + std::to_string(kMinBlockSize) + " to " + std::to_string(kMaxBlockSize),
                std::to_string(blockSize));
  }
  const size_t count = static_cast<size_t>(n * k);
  const size_t scaleCount = static_cast<size_t>((blockSize > 0 ? ceilDiv(k, blockSize) : 1) * n);
  WeightSource source;
  if (args.isArrayOf<int8_t>(kWeights)) {
    source.codes = args.array<const int8_t>(kWeights, "weights", count).data;
    source.scales = args.optionalArray<const float>(scalesAt, "scales", scaleCount).data;
    if (const int64_t at = source.scales ? firstNonFinite(source.scales, scaleCount) : -1; at >= 0) {
      args.refuse("scales", "finite values", "NaN or infinity in output channel " + std::to_string(at % n));
    }
  } else {
    const float* w = args.array<const float>(kWeights, "weights", count).data;
    if (const int64_t at = firstNonFinite(w, count); at >= 0) {
      args.refuse("weights", "finite values", "NaN or infinity in output channel " + std::to_string(at / k));
    }
    source.quantized.resize(count);
    source.chosen.resize(scaleCount);
    quantizeWeights(w, n, k, bits, blockSize, source.quantized.data(), source.chosen.data(), reduceRange);
    source.codes = source.quantized.data();
    source.scales = source.chosen.data();
  }
  if (storage == WeightStorage::int4) {
    const auto [lo, hi] = std::minmax_element(source.codes, source.codes + count);
    if (*lo < -8 || *hi > 7) {
      args.refuse("weights", "codes from -8 to 7 for int4 storage", std::to_string(*lo) + " to " + std::to_string(*hi));
    }
  }
  return source;
}

}  // namespace faultline::binding
