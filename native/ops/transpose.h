// Eight rows of eight bytes turned into eight columns, in registers: between ONNX's channel planes and pixels.
#pragma once

#include <cstdint>
#include <cstring>

namespace faultline {

inline constexpr int64_t kTransposed = 8;

// out[j · outStride + i] = in[i · inStride + j] ^ flip for i, j < 8.
inline void transposeBytes(const uint8_t* in, int64_t inStride, uint8_t flip, uint8_t* out, int64_t outStride) {
  using Bytes [[gnu::vector_size(16)]] = uint8_t;
  using Words [[gnu::vector_size(16)]] = uint64_t;
  const auto row = [&](int64_t i) {
    uint64_t word;
    std::memcpy(&word, in + i * inStride, sizeof word);
    return reinterpret_cast<Bytes>(Words{word, 0}) ^ flip;
  };
  const auto zipRows = [&](int64_t i) {
    return __builtin_shufflevector(row(i), row(i + 1), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  };
  const Bytes r01 = zipRows(0), r23 = zipRows(2), r45 = zipRows(4), r67 = zipRows(6);
  const auto zipPairs = [](Bytes a, Bytes b, bool high) {
    return high ? __builtin_shufflevector(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
                : __builtin_shufflevector(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
  };
  const auto storeColumns = [&](Bytes a, Bytes b, int64_t column) {
    const Bytes low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const Bytes high = __builtin_shufflevector(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const Words lows = reinterpret_cast<Words>(low), highs = reinterpret_cast<Words>(high);
    const uint64_t columns[] = {lows[0], lows[1], highs[0], highs[1]};
    for (int64_t i = 0; i < 4; ++i) std::memcpy(out + (column + i) * outStride, &columns[i], sizeof columns[i]);
  };
  storeColumns(zipPairs(r01, r23, false), zipPairs(r45, r67, false), 0);
  storeColumns(zipPairs(r01, r23, true), zipPairs(r45, r67, true), 4);
}

}  // namespace faultline
