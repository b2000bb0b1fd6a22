// Peaks with 512-bit vectors: vpdpbusd (64 u8·s8 multiply-adds) and fp32 FMA. Written in assembly:
// a compiler must neither remove the idle work nor keep an accumulator in memory.
#include <immintrin.h>

#include "ceilings.h"

namespace faultline::bench {
namespace {

constexpr int kAccumulators = 16;

void vnni(int64_t iterations) {
  __m512i acc[kAccumulators];
  for (auto& a : acc) a = _mm512_setzero_si512();
  __m512i x = _mm512_set1_epi8(3), y = _mm512_set1_epi8(-1);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) asm volatile("vpdpbusd %2, %1, %0" : "+v"(a) : "v"(x), "v"(y));
  }
}

void fma(int64_t iterations) {
  __m512 acc[kAccumulators];
  for (auto& a : acc) a = _mm512_setzero_ps();
  __m512 x = _mm512_set1_ps(1e-9f), y = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < iterations; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) asm volatile("vfmadd231ps %2, %1, %0" : "+v"(a) : "v"(x), "v"(y));
  }
}

uint64_t readAll(const void* data, size_t bytes) {
  const auto* p = static_cast<const char*>(data);
  __m512i acc[8];
  for (auto& a : acc) a = _mm512_setzero_si512();
  for (size_t i = 0; i < bytes; i += 512) {
#pragma GCC unroll 8
    for (size_t j = 0; j < 8; ++j) acc[j] = _mm512_or_si512(acc[j], _mm512_load_si512(p + i + j * 64));
  }
  for (size_t j = 1; j < 8; ++j) acc[0] = _mm512_or_si512(acc[0], acc[j]);
  return static_cast<uint64_t>(_mm512_reduce_or_epi64(acc[0]));
}

constexpr PeakLoop kPeaks[] = {{"avx512VnniInt8", kAccumulators * 64 * 2.0, vnni},
                               {"fmaFp32", kAccumulators * 16 * 2.0, fma}};

}  // namespace

PeakLoops avx512Peaks() { return {kPeaks, sizeof kPeaks / sizeof kPeaks[0]}; }
uint64_t avx512Read(const void* data, size_t bytes) { return readAll(data, bytes); }

}  // namespace faultline::bench
