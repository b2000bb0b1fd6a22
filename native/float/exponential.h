// exp for float32 that compilers turn into vector code, with the same bits everywhere. Within 2 units in the last
// place.
#pragma once

#include <bit>
#include <cstdint>

namespace faultline {

// exp(x) = 2^n · exp(r), n = round(x / ln 2), |r| ≤ ln 2 / 2; exp(r) by its Taylor series to r^7 (error below 2^-28).
inline __attribute__((always_inline)) float exponential(float x) {
  constexpr float kLargest = 88.72283f;   // above: infinity
  constexpr float kSmallest = -103.972f;  // below: rounds to 0
  constexpr float kInverseLn2 = 1.44269504f;
  constexpr float kLn2High = 0.693145752f;   // few bits: n times it is exact
  constexpr float kLn2Low = 1.42860677e-6f;  // ln 2 − kLn2High
  constexpr float kRound = 12582912.f;       // 1.5 · 2^23: adding and taking it away rounds to a whole number
  const float clamped = x > kLargest ? kLargest : (x < kSmallest ? kSmallest : x);  // NaN passes
  const float n = (clamped * kInverseLn2 + kRound) - kRound;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float p = 1.f / 5040.f;
  p = p * r + 1.f / 720.f;
  p = p * r + 1.f / 120.f;
  p = p * r + 1.f / 24.f;
  p = p * r + 1.f / 6.f;
  p = p * r + .5f;
  p = p * r + 1.f;
  p = p * r + 1.f;
  // 2^n in two halves: n reaches −150 and 128, outside what one exponent field holds.
  const int32_t whole = static_cast<int32_t>(n == n ? n : 0.f);
  const int32_t half = whole >> 1;
  const float low = std::bit_cast<float>((half + 127) << 23);
  const float high = std::bit_cast<float>((whole - half + 127) << 23);
  const float result = p * low * high;
  return x > kLargest ? std::bit_cast<float>(0x7f800000) : result;
}

}  // namespace faultline
