// Peaks with 256-bit vectors: fp32 FMA, and u8·s8 products, for which AVX2 has only vpmaddubsw with its 16-bit sums:
// exact while weights stay within ±64 (avx2Int8), and with even fewer instructions within ±8 (avx2Int4). Twelve
// accumulators hide the latencies. In assembly: a compiler must neither remove the idle work nor keep an accumulator in
// memory.
#include <immintrin.h>

#include "ceilings.h"

namespace faultline::bench {
namespace {

constexpr int kAccumulators = 12;

void fma(int64_t iterations) {
  __m256 acc[kAccumulators];
  for (auto& a : acc) a = _mm256_setzero_ps();
  __m256 x = _mm256_set1_ps(1e-9f), y = _mm256_set1_ps(1.0f);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (auto& a : acc) asm volatile("vfmadd231ps %2, %1, %0" : "+x"(a) : "x"(x), "x"(y));
  }
}

// 32 products: pair sums in 16 bits, widened by a product with ones, added.
void narrowProducts(int64_t iterations) {
  __m256i acc[kAccumulators];
  for (auto& a : acc) a = _mm256_setzero_si256();
  __m256i x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(-1), ones = _mm256_set1_epi16(1);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (auto& a : acc) {
      __m256i product;
      asm volatile("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
                   : "+x"(a), "=&x"(product)
                   : "x"(x), "x"(y), "x"(ones));
    }
  }
}

// 32 products of small weights, whose sums may stay in 16 bits for a while.
void deepProducts(int64_t iterations) {
  __m256i acc[kAccumulators];
  for (auto& a : acc) a = _mm256_setzero_si256();
  __m256i x = _mm256_set1_epi8(3), y = _mm256_set1_epi8(-1);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 12
    for (auto& a : acc) {
      __m256i product;
      asm volatile("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0" : "+x"(a), "=&x"(product) : "x"(x), "x"(y));
    }
  }
}

uint64_t readAll(const void* data, size_t bytes) {
  const auto* p = static_cast<const __m256i*>(data);
  __m256i acc[8];
  for (auto& a : acc) a = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes / sizeof(__m256i); i += 8) {
#pragma GCC unroll 8
    for (size_t j = 0; j < 8; ++j) acc[j] = _mm256_or_si256(acc[j], _mm256_load_si256(p + i + j));
  }
  for (size_t j = 1; j < 8; ++j) acc[0] = _mm256_or_si256(acc[0], acc[j]);
  return static_cast<uint64_t>(_mm256_extract_epi64(acc[0], 0));
}

constexpr PeakLoop kPeaks[] = {{"avx2Int8", kAccumulators * 32 * 2.0, narrowProducts},
                               {"avx2Int4", kAccumulators * 32 * 2.0, deepProducts},
                               {"fmaFp32", kAccumulators * 8 * 2.0, fma}};

}  // namespace

PeakLoops avx2Peaks() { return {kPeaks, sizeof kPeaks / sizeof kPeaks[0]}; }
uint64_t avx2Read(const void* data, size_t bytes) { return readAll(data, bytes); }

}  // namespace faultline::bench
