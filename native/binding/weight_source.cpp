#include "binding/weight_source.h"

#include <algorithm>
#include <cmath>

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

WeightSource readWeights(const Args& args, int64_t n, int64_t k, int bits, WeightStorage storage, int64_t blockSize,
                         size_t scalesAt, bool reduceRange) {
  if (blockSize > 0 && !isBlockSize(blockSize)) {
    args.refuse("blockSize", "a power of two from 16 to " + std::to_string(kMaxBlockSize), std::to_string(blockSize));
  }
  const size_t count = static_cast<size_t>(n * k);
  const size_t scaleCount = static_cast<size_t>((blockSize > 0 ? ceilDiv(k, blockSize) : 1) * n);
  WeightSource source;
  if (args.isArrayOf<int8_t>(0)) {
    source.codes = args.array<const int8_t>(0, "weights", count).data;
    source.scales = args.optionalArray<const float>(scalesAt, "scales", scaleCount).data;
  } else {
    const float* w = args.array<const float>(0, "weights", count).data;
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
