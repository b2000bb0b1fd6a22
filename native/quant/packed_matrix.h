// Weights of a matrix product, quantized and laid out for the kernels.
//
// W[N, K] (row n holds output channel n) is cut into panels of 16 channels and blocks of 64 along K:
//
//   int8  data[panel][kBlock][line 0…15][64 bytes]
//
// With kGroup = 4 (x86, NEON dotprod, scalar) a line holds 4 consecutive k of all 16 channels:
//
//   W[n, k] is at line (k % 64) / 4, byte (n % 16) · 4 + k % 4
//
// and is one zmm register, one row of an AMX tile. With kGroup = 8 (NEON i8mm) two lines hold 8 consecutive k:
//
//   W[n, k] is at line 2 · ((k % 64) / 8) + (n % 16) / 8, byte (n % 8) · 8 + k % 8
//
// and two channels fill one q register.
//
// int4: lines 2i and 2i + 1 of the int8 layout share 64 bytes. Byte j of line pair i, two's complement nibbles, is
//
//   (line[2i][j] & 15) | (line[2i + 1][j] & 15) << 4
//
// Kernels shift a nibble to the top of its byte, which gives 16 · w as int8 in one or two instructions, and divide the
// finished accumulator by 16, exactly.
//
// N is padded to 16 and K to 64 with zero weights.
#pragma once

#include <cstdint>

#include "abi/limits.h"
#include "core/aligned.h"
#include "core/status.h"

namespace faultline {

inline constexpr int64_t kPanel = 16;
inline constexpr int64_t kBlockK = 64;
inline constexpr int64_t kLine = 64;
inline constexpr int64_t kLinesPerBlock = 16;
inline constexpr int64_t kInt8BlockBytes = kPanel * kBlockK;
inline constexpr int64_t kInt4BlockBytes = kInt8BlockBytes / 2;
static_assert(kInt8BlockBytes == kLine * kLinesPerBlock, "a block is 16 lines: one AMX tile");

// Group sizes for scales along K: a group covers whole pairs of lines of one block, or whole blocks.
constexpr bool isBlockSize(int64_t size) {
  return size >= kMinBlockSize && size <= kMaxBlockSize && (size & (size - 1)) == 0;
}

enum class WeightStorage { int8, int4 };

// K as runs of `groups` groups of kGroup that start at the k-blocks begin, begin + step, … below end. The weights that
// a run leaves over in its last block are zero.
struct KRuns {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = 0;
  int64_t groups = 0;
};

struct PackedMatrix {
  int64_t n = 0;  // output channels
  int64_t k = 0;  // reduced length
  int64_t panels = 0;
  int64_t kBlocks = 0;
  int64_t kGroups = 0;  // ceil(k / kGroup): what a kernel walks
  KRuns runs;           // one of all k-blocks, or where a convolution pads its kernel rows to whole k-blocks one a row
  int kGroup = 4;       // 4 or 8
  int bits = 8;  // 2–8; codes lie in ±(2^(bits−1) − 1) when quantized here, anywhere in int8 for ONNX operands
  int32_t magnitude = 0;  // the largest |code|, 128 at most: what bounds a kernel's intermediate sums
  WeightStorage storage = WeightStorage::int8;
  int64_t blockSize = 0;    // per-group scales along K: a power of two ≥ 16; 0 = one scale a channel
  int64_t scaleGroups = 1;  // ceil(k / blockSize), or 1
  AlignedBuffer<uint8_t> data;
  AlignedBuffer<float> scales;  // [scaleGroups][panels · 16]
  AlignedBuffer<int32_t> sums;  // [scaleGroups][panels · 16], Σ_k of the codes in the group
  // The sums again, negated and split for one 16-bit dot product with (zeroPoint, 128 · zeroPoint):
  // low half −(sum & 127), high half −(sum >> 7). Valid for groups up to kMaxBlockSize elements; used where
  // blockSize > 0.
  AlignedBuffer<int32_t> sumPairs;  // [scaleGroups][panels · 16]

  int64_t paddedN() const { return panels * kPanel; }
  int64_t blockBytes() const { return storage == WeightStorage::int4 ? kInt4BlockBytes : kInt8BlockBytes; }
  const uint8_t* panel(int64_t p) const { return data.data() + p * kBlocks * blockBytes(); }
};

// Packs codes[N, K] (row-major int8) with scales[scaleGroups, N] (group-major; may be null: all 1).
// blockSize 0 means one group. storage int4 needs every code in −8 … 7.
void packMatrix(const int8_t* codes, const float* scales, int64_t n, int64_t k, int bits, WeightStorage storage,
                int64_t blockSize, int kGroup, PackedMatrix* out);

// Quantizes w[N, K] symmetrically: granularity by blockSize (> 0: per group of K, 0: per channel, −1: per tensor).
// codes: [N, K], scales: [scaleGroups, N]. reduceRange takes ±64 for the largest code instead of ±(2^(bits−1) − 1).
void quantizeWeights(const float* w, int64_t n, int64_t k, int bits, int64_t blockSize, int8_t* codes, float* scales,
                     bool reduceRange = false);

// The code of one weight, read back from the packed layout (tests, export, error profile).
int8_t packedCode(const PackedMatrix& m, int64_t n, int64_t k);

}  // namespace faultline
