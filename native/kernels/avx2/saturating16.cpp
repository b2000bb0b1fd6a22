// kernels/saturating16.h on the instructions it is about: vpmaddubsw, vpmaddwd, vpaddd, 16 channels × 4 rows at a time.
//
// Counting saturations needs the exact sums too, which costs more than the product. So the loop only keeps the largest
// and the smallest 16-bit sum of a block of 64 k; where one of them sits on a limit, that block is counted again,
// exactly. Five instructions for 32 products where nothing saturates.
#include "kernels/saturating16.h"

#include <immintrin.h>

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int kGroup = 4;
constexpr int64_t kRows = 4;
constexpr int kHalves = 2;  // registers a line of weights fills

__m256i loadLine(const uint8_t* line, int half) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(line + half * 32));
}

__m256i broadcastGroup(const uint8_t* a) {
  int32_t group;
  __builtin_memcpy(&group, a, sizeof group);
  return _mm256_set1_epi32(group);
}

struct Tile {
  const uint8_t* a[kRows];  // row r at the first line
  const uint8_t* weights;   // the first line
  int64_t lines;            // of one block: at most 16
};

// Adds to counts[16] the pairs of the tile whose exact sum is not its saturated sum.
void count(const Tile& tile, int64_t rows, int64_t* counts) {
  const __m256i lowByte = _mm256_set1_epi16(255);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int half = 0; half < kHalves; ++half) {
    __m256i same = _mm256_setzero_si256();  // −1 for every pair that did not saturate: 64 lanes-adds at most
    for (int64_t line = 0; line < tile.lines; ++line) {
      const __m256i w = loadLine(tile.weights + line * kLine, half);
      const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8);
      const __m256i odd = _mm256_srai_epi16(w, 8);
      for (int64_t r = 0; r < rows; ++r) {
        const __m256i a = broadcastGroup(tile.a[r] + line * kGroup);
        // Each product fits int16: 255 · 128 = 32640.
        const __m256i p = _mm256_mullo_epi16(_mm256_and_si256(a, lowByte), even);
        const __m256i q = _mm256_mullo_epi16(_mm256_srli_epi16(a, 8), odd);
        same = _mm256_add_epi16(same, _mm256_cmpeq_epi16(_mm256_adds_epi16(p, q), _mm256_add_epi16(p, q)));
      }
    }
    const __m256i pairs = _mm256_set1_epi16(static_cast<int16_t>(tile.lines * rows));
    alignas(32) int32_t perChannel[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(perChannel), _mm256_madd_epi16(_mm256_add_epi16(pairs, same), ones));
    for (int i = 0; i < 8; ++i) counts[half * 8 + i] += perChannel[i];
  }
}

bool onLimit(__m256i largest, __m256i smallest) {
  const __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi16(largest, _mm256_set1_epi16(32767)),
                                      _mm256_cmpeq_epi16(smallest, _mm256_set1_epi16(-32768)));
  return !_mm256_testz_si256(hit, hit);
}

template <int rows>
void multiplyRows(const Saturating16Call& call, int64_t row) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
  const int64_t rowOffset = row % kRowBlock * call.aRowStride;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i acc[rows][kHalves] = {};
  for (int64_t k = call.kBegin; k < call.kEnd;) {
    const int64_t end = (k / kBlockK + 1) * kBlockK < call.kEnd ? (k / kBlockK + 1) * kBlockK : call.kEnd;
    Tile tile;
    for (int r = 0; r < rows; ++r) tile.a[r] = blocks[k / kBlockK] + rowOffset + r * call.aRowStride + k % kBlockK;
    tile.weights = w.panel(call.panel) + k / kBlockK * kInt8BlockBytes + k % kBlockK / kGroup * kLine;
    tile.lines = (end - k + kGroup - 1) / kGroup;
    __m256i largest = _mm256_setzero_si256();
    __m256i smallest = _mm256_setzero_si256();
    for (int64_t line = 0; line < tile.lines; ++line) {
      for (int half = 0; half < kHalves; ++half) {
        const __m256i weights = loadLine(tile.weights + line * kLine, half);
        for (int r = 0; r < rows; ++r) {
          const __m256i sums = _mm256_maddubs_epi16(broadcastGroup(tile.a[r] + line * kGroup), weights);
          largest = _mm256_max_epi16(largest, sums);
          smallest = _mm256_min_epi16(smallest, sums);
          acc[r][half] = _mm256_add_epi32(acc[r][half], _mm256_madd_epi16(sums, ones));
        }
      }
    }
    if (onLimit(largest, smallest)) count(tile, rows, call.saturations);
    k = end;
  }
  for (int r = 0; r < rows; ++r) {
    for (int half = 0; half < kHalves; ++half) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(call.acc + (row + r) * kPanel + half * 8), acc[r][half]);
    }
  }
}

void gemm_u8s8_s16_avx2(const Saturating16Call& call) {
  static_assert(kRowBlock % kRows == 0, "the rows of a tile share one address");
  int64_t row = 0;
  for (; row + kRows <= call.rows; row += kRows) multiplyRows<kRows>(call, row);
  for (; row < call.rows; ++row) multiplyRows<1>(call, row);
}

}  // namespace

const Saturating16Kernel avx2Saturating16 = gemm_u8s8_s16_avx2;

}  // namespace faultline
