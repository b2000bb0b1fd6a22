// The sums of an error profile (ops/error_profile.h), by their places in the array that is read. See abi/README.md.
#pragma once

namespace faultline {

// Per output channel. Maxima are of absolute values.
enum ProfileSum {
  kSignalSquared,     // y²: the fp32 output
  kQuantizedSquared,  // ŷ²
  kSignalQuantized,   // y · ŷ
  kError,             // e = ŷ − y
  kErrorSquared,
  kErrorMax,
  kFirstTerm,  // then for each term t: Σ t², Σ t · e, max |t|
};
enum ProfileTerm { kActivationRounding, kActivationClipping, kWeightRounding, kCross, kSaturation, kTermCount };
inline constexpr int kSumsPerTerm = 3;

// Of all activations together: errors in units of the scale.
enum class ProfileActivation { samples, elements, roundingSquared, clippingSquared, clipped, unusedRange, count };

}  // namespace faultline
