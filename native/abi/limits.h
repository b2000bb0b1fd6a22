// Limits that C++ and TypeScript both check. See abi/README.md.
#pragma once

#include <cstdint>

namespace faultline {

// Bits of a weight or an activation.
inline constexpr int kMinBits = 2;
inline constexpr int kMaxBits = 8;

// Weights along K that share a scale: a power of two in these limits.
inline constexpr int64_t kMinBlockSize = 16;
inline constexpr int64_t kMaxBlockSize = 16384;

}  // namespace faultline
