#include "quant/packed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "quant/affine.h"

namespace faultline {
namespace {

// Byte offset of W[n, k] in the int8 layout of its (panel, kBlock).
int64_t offsetInBlock(int64_t n, int64_t k, int kGroup) {
  const int64_t column = n % kPanel;
  const int64_t inBlock = k % kBlockK;
  return (inBlock / kGroup) * kPanel * kGroup + column * kGroup + inBlock % kGroup;
}

struct NibblePosition {
  int64_t byte;
  int shift;
};
NibblePosition nibble(int64_t int8Offset) {
  const int64_t line = int8Offset / kLine;
  return {(line / 2) * kLine + int8Offset % kLine, static_cast<int>(line % 2) * 4};
}

// One channel of int8 codes. Its groups of consecutive k lie a panel's width of groups apart, through all blocks.
template <int kGroup>
void placeInt8(const int8_t* codes, int64_t n, int64_t k, uint8_t* panel) {
  uint8_t* to = panel + n % kPanel * kGroup;
  const int64_t whole = k / kGroup * kGroup;
  for (int64_t col = 0; col < whole; col += kGroup, to += kPanel * kGroup) std::memcpy(to, codes + col, kGroup);
  for (int64_t col = whole; col < k; ++col) *to++ = static_cast<uint8_t>(codes[col]);
}

void placeInt4(const int8_t* codes, int64_t n, int64_t k, int kGroup, uint8_t* panel) {
  for (int64_t col = 0; col < k; ++col) {
    uint8_t* block = panel + col / kBlockK * kInt4BlockBytes;
    const NibblePosition at = nibble(offsetInBlock(n, col, kGroup));
    block[at.byte] = static_cast<uint8_t>(block[at.byte] | (codes[col] & 15) << at.shift);
  }
}

}  // namespace

void packMatrix(const int8_t* codes, const float* scales, int64_t n, int64_t k, int bits, WeightStorage storage,
                int64_t blockSize, int kGroup, PackedMatrix* out) {
  PackedMatrix& m = *out;
  m.n = n;
  m.k = k;
  m.bits = bits;
  m.magnitude = 0;
  m.storage = storage;
  m.kGroup = kGroup;
  m.blockSize = blockSize;
  m.panels = ceilDiv(n, kPanel);
  m.kBlocks = ceilDiv(k, kBlockK);
  m.kGroups = ceilDiv(k, int64_t{kGroup});
  m.runs = {0, m.kBlocks, m.kBlocks, m.kGroups};
  m.scaleGroups = blockSize > 0 ? ceilDiv(k, blockSize) : 1;
  m.data = AlignedBuffer<uint8_t>(static_cast<size_t>(m.panels * m.kBlocks * m.blockBytes()));
  const size_t perChannel = static_cast<size_t>(m.scaleGroups * m.paddedN());
  m.scales = AlignedBuffer<float>(perChannel);
  m.sums = AlignedBuffer<int32_t>(perChannel);
  m.sumPairs = AlignedBuffer<int32_t>(perChannel);

  for (int64_t row = 0; row < n; ++row) {
    const int8_t* from = codes + row * k;
    uint8_t* panel = m.data.data() + (row / kPanel) * m.kBlocks * m.blockBytes();
    if (storage == WeightStorage::int4) {
      placeInt4(from, row, k, kGroup, panel);
    } else if (kGroup == 4) {
      placeInt8<4>(from, row, k, panel);
    } else {
      placeInt8<8>(from, row, k, panel);
    }
    int32_t largest = m.magnitude;
    for (int64_t col = 0; col < k; ++col) largest = std::max(largest, std::abs(int32_t{from[col]}));
    m.magnitude = largest;
    const int64_t span = blockSize > 0 ? blockSize : k;
    for (int64_t g = 0; g < m.scaleGroups; ++g) {
      const int64_t end = std::min((g + 1) * span, k);
      int32_t sum = 0;
      for (int64_t col = g * span; col < end; ++col) sum += from[col];
      m.sums[static_cast<size_t>(g * m.paddedN() + row)] = sum;
    }
  }
  for (int64_t g = 0; g < m.scaleGroups; ++g) {
    for (int64_t row = 0; row < n; ++row) {
      const size_t i = static_cast<size_t>(g * m.paddedN() + row);
      m.scales[i] = scales ? scales[g * n + row] : 1.0f;
      const int32_t low = -(m.sums[i] & 127);
      const int32_t high = -(m.sums[i] >> 7);
      m.sumPairs[i] =
          static_cast<int32_t>((static_cast<uint32_t>(high) << 16) | (static_cast<uint32_t>(low) & 0xffffu));
    }
  }
}

void quantizeWeights(const float* w, int64_t n, int64_t k, int bits, int64_t blockSize, int8_t* codes, float* scales,
                     bool reduceRange) {
  const int32_t largest = reduceRange ? kReducedRangeMax : symmetricMax(bits);
  const auto absMax = [](const float* x, int64_t count) {
    float m = 0.0f;
    for (int64_t i = 0; i < count; ++i) m = std::max(m, std::fabs(x[i]));
    return m;
  };
  const int64_t span = blockSize > 0 ? blockSize : k;
  const float tensorScale = blockSize < 0 ? chooseScaleForLargest(absMax(w, n * k), largest) : 0.0f;
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t begin = 0, g = 0; begin < k; begin += span, ++g) {
      const int64_t count = std::min(span, k - begin);
      const float* x = w + row * k + begin;
      const float scale = blockSize < 0 ? tensorScale : chooseScaleForLargest(absMax(x, count), largest);
      scales[g * n + row] = scale;
      for (int64_t i = 0; i < count; ++i) codes[row * k + begin + i] = quantizeToLargest(x[i], scale, largest);
    }
  }
}

int8_t packedCode(const PackedMatrix& m, int64_t n, int64_t k) {
  const uint8_t* block = m.panel(n / kPanel) + (k / kBlockK) * m.blockBytes();
  const int64_t offset = offsetInBlock(n, k, m.kGroup);
  if (m.storage == WeightStorage::int8) return static_cast<int8_t>(block[offset]);
  const NibblePosition at = nibble(offset);
  return static_cast<int8_t>(static_cast<int8_t>(static_cast<uint8_t>(block[at.byte] >> at.shift) << 4) >> 4);
}

}  // namespace faultline
