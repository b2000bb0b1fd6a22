// Logarithm, sine and cosine for float32 from plain arithmetic: vector code, and the same bits on every machine, which
// the C library's do not promise. exp is in float/exponential.h.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace faultline::image {

// ln(x) for normal x > 0, within 2 units in the last place. x = m · 2^e with m in [√½, √2); the polynomial is the
// minimax one for ln(1 + r) of Cephes (Moshier, 1989).
inline __attribute__((always_inline)) float logarithm(float x) {
  constexpr float kSqrtHalf = .707106781f;
  constexpr float kLn2High = .693359375f;  // few bits: e times it is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const float half = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);  // [½, 1)
  const bool small = half < kSqrtHalf;
  const float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126) - (small ? 1.f : 0.f);
  const float r = (small ? half + half : half) - 1.f;
  const float z = r * r;
  float p = 7.0376836292e-2f;
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  return r + (p * r * z + e * kLn2Low - .5f * z) + e * kLn2High;
}

struct SineCosine {
  float sine, cosine;
};

// sin and cos of `turn` / 2^32 of a full turn, within 2 units in the last place of 1. The polynomials are Cephes's, for
// |angle| ≤ π/4.
inline __attribute__((always_inline)) SineCosine sineCosine(uint32_t turn) {
  constexpr float kQuarter = 1.57079633f / 4294967296.f;  // radians in 2^-32 of a quarter turn
  const uint32_t quadrant = (turn + 0x20000000u) >> 30;
  const float r = static_cast<float>(static_cast<int32_t>(turn << 2)) * kQuarter;
  const float z = r * r;
  const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const float c = ((2.4433157118e-5f * z - 1.3887316255e-3f) * z + 4.1666645683e-2f) * z * z - .5f * z + 1.f;
  const bool swapped = (quadrant & 1) != 0;
  const float sine = swapped ? c : s, cosine = swapped ? s : c;
  return {(quadrant & 2) != 0 ? -sine : sine, ((quadrant + 1) & 2) != 0 ? -cosine : cosine};
}

// The same for an angle in degrees, to 2^-32 of a turn.
inline SineCosine sineCosineOfDegrees(double degrees) {
  const double turns = degrees / 360;
  return sineCosine(static_cast<uint32_t>(static_cast<int64_t>((turns - std::floor(turns)) * 4294967296.0)));
}

}  // namespace faultline::image
