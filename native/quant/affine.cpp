#include "quant/affine.h"

#include <algorithm>
#include <cmath>

namespace faultline {
namespace {

// The division-free quotient (kernels/quotient.h) needs its intermediate values to stay in the normal range.
constexpr float kSmallestFastScale = 0x1p-100f;
constexpr float kLargestFastScale = 0x1p100f;

}  // namespace

AffineParams affineParams(float scale, int32_t zeroPoint, int32_t qmax) {
  const bool fast = scale >= kSmallestFastScale && scale <= kLargestFastScale;
  return {scale, fast ? 1.0f / scale : 0.0f, zeroPoint, qmax};
}

AffineParams chooseAsymmetric(float min, float max, int bits) {
  min = std::min(min, 0.0f);
  max = std::max(max, 0.0f);
  const int32_t qmax = (1 << bits) - 1;
  const float limit = static_cast<float>(qmax);
  float scale = (max - min) / limit;
  // max − min overflows fp32 for ranges wider than 3.4e38; the scale itself never does.
  if (!std::isfinite(scale)) scale = static_cast<float>((double{max} - double{min}) / qmax);
  if (scale == 0.0f) scale = 1.0f;
  const int32_t zeroPoint = static_cast<int32_t>(std::lrint(std::clamp(-min / scale, 0.0f, limit)));
  return affineParams(scale, zeroPoint, qmax);
}

float chooseSymmetricScale(float absMax, int bits) { return chooseScaleForLargest(absMax, symmetricMax(bits)); }

int8_t quantizeSymmetric(float w, float scale, int bits) { return quantizeToLargest(w, scale, symmetricMax(bits)); }

float chooseScaleForLargest(float absMax, int32_t largestCode) {
  const float scale = absMax / static_cast<float>(largestCode);
  return scale > 0.0f ? scale : 1.0f;
}

int8_t quantizeToLargest(float w, float scale, int32_t largestCode) {
  const float limit = static_cast<float>(largestCode);
  return static_cast<int8_t>(std::clamp(std::nearbyint(w / scale), -limit, limit));
}

}  // namespace faultline
