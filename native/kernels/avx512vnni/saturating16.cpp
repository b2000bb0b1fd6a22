// kernels/saturating16.h with AVX-512BW: the instructions a Skylake server runs, 16 channels × 8 rows at a time.
//
// As in kernels/avx2/saturating16.cpp: the loop keeps the largest and smallest 16-bit sum of a block of 64 k, and only
// a block that touched a limit is counted again, exactly.
#include "kernels/saturating16.h"

#include <immintrin.h>

#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int kGroup = 4;
constexpr int64_t kRows = 8;

__m512i broadcastGroup(const uint8_t* a) {
  int32_t group;
  __builtin_memcpy(&group, a, sizeof group);
  return _mm512_set1_epi32(group);
}

struct Tile {
  const uint8_t* a[kRows];  // row r at the first line
  const uint8_t* weights;   // the first line
  int64_t lines;            // of one block: at most 16
};

// Adds to counts[16] the pairs of the tile whose exact sum is not its saturated sum.
void count(const Tile& tile, int64_t rows, int64_t* counts) {
  const __m512i lowByte = _mm512_set1_epi16(255);
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i saturated = _mm512_setzero_si512();  // 128 a lane at most
  for (int64_t line = 0; line < tile.lines; ++line) {
    const __m512i w = _mm512_load_si512(tile.weights + line * kLine);
    const __m512i even = _mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8);
    const __m512i odd = _mm512_srai_epi16(w, 8);
    for (int64_t r = 0; r < rows; ++r) {
      const __m512i a = broadcastGroup(tile.a[r] + line * kGroup);
      // Each product fits int16: 255 · 128 = 32640.
      const __m512i p = _mm512_mullo_epi16(_mm512_and_si512(a, lowByte), even);
      const __m512i q = _mm512_mullo_epi16(_mm512_srli_epi16(a, 8), odd);
      const __mmask32 differs = _mm512_cmpneq_epi16_mask(_mm512_adds_epi16(p, q), _mm512_add_epi16(p, q));
      saturated = _mm512_mask_add_epi16(saturated, differs, saturated, ones);
    }
  }
  alignas(64) int32_t perChannel[kPanel];
  _mm512_store_si512(perChannel, _mm512_madd_epi16(saturated, ones));
  for (int64_t i = 0; i < kPanel; ++i) counts[i] += perChannel[i];
}

bool onLimit(__m512i largest, __m512i smallest) {
  return (_mm512_cmpeq_epi16_mask(largest, _mm512_set1_epi16(32767)) |
          _mm512_cmpeq_epi16_mask(smallest, _mm512_set1_epi16(-32768))) != 0;
}

template <int rows>
void multiplyRows(const Saturating16Call& call, int64_t row) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
  const int64_t rowOffset = row % kRowBlock * call.aRowStride;
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i acc[rows] = {};
  for (int64_t k = call.kBegin; k < call.kEnd;) {
    const int64_t end = (k / kBlockK + 1) * kBlockK < call.kEnd ? (k / kBlockK + 1) * kBlockK : call.kEnd;
    Tile tile;
    for (int r = 0; r < rows; ++r) tile.a[r] = blocks[k / kBlockK] + rowOffset + r * call.aRowStride + k % kBlockK;
    tile.weights = w.panel(call.panel) + k / kBlockK * kInt8BlockBytes + k % kBlockK / kGroup * kLine;
    tile.lines = (end - k + kGroup - 1) / kGroup;
    __m512i largest = _mm512_setzero_si512();
    __m512i smallest = _mm512_setzero_si512();
    for (int64_t line = 0; line < tile.lines; ++line) {
      const __m512i weights = _mm512_load_si512(tile.weights + line * kLine);
      for (int r = 0; r < rows; ++r) {
        const __m512i sums = _mm512_maddubs_epi16(broadcastGroup(tile.a[r] + line * kGroup), weights);
        largest = _mm512_max_epi16(largest, sums);
        smallest = _mm512_min_epi16(smallest, sums);
        acc[r] = _mm512_add_epi32(acc[r], _mm512_madd_epi16(sums, ones));
      }
    }
    if (onLimit(largest, smallest)) count(tile, rows, call.saturations);
    k = end;
  }
  for (int r = 0; r < rows; ++r) _mm512_storeu_si512(call.acc + (row + r) * kPanel, acc[r]);
}

void gemm_u8s8_s16_avx512vnni(const Saturating16Call& call) {
  static_assert(kRowBlock % kRows == 0, "the rows of a tile share one address");
  int64_t row = 0;
  for (; row + kRows <= call.rows; row += kRows) multiplyRows<kRows>(call, row);
  for (; row < call.rows; ++row) multiplyRows<1>(call, row);
}

}  // namespace

const Saturating16Kernel avx512vnniSaturating16 = gemm_u8s8_s16_avx512vnni;

}  // namespace faultline
