// gemm_u8s8_s32 on tensor cores: a matrix product, or a convolution as one (implicit GEMM).
//
// A block of 256 threads computes 128 rows × kTileN channels, K in steps of 64 bytes through a ring of kStages stages
// in shared memory that cp.async fills. Warps stand 8 / kWarpsN × kWarpsN, each on (16 · kWarpsN) rows × 32 channels.
//
//   A:         codes u8, row-major, K contiguous within chunks of 16 bytes (RowMap finds them)
//   B, int8:   [paddedN][kBytes]
//   B, int4:   [paddedN][kBytes / 2]; in each slab of 32 k, byte i of 16 is w[k + i] & 15 | (w[k + 16 + i] & 15) << 4
//
// With int4 a word of an ldmatrix is b[0] in its low and b[1] in its high nibbles. Shifted to the top of their bytes
// they multiply as 16 · w; the finished sum is divided by 16, exactly (as on the CPU, quant/packed_matrix.h).
//
// Shared rows are 64 (int4: 32) bytes. Their chunks are permuted so that the 8 rows of an ldmatrix lie in different
// banks.
#pragma once

#include "cuda/output.h"

namespace faultline::cuda {

inline constexpr int kChunk = 16;  // bytes of one cp.async, one row of an ldmatrix
inline constexpr int kTileK = 64;  // k of a stage
inline constexpr int kSlabK = 32;  // k of an mma
inline constexpr int kTileM = 128;

// Where the codes of a row lie. A matrix: row · rowBytes + k. A convolution: the window's first pixel plus chunkOffset.
struct RowMap {
  const uint8_t* codes = nullptr;
  int64_t rowBytes = 0;                  // matrix
  const int32_t* chunkOffset = nullptr;  // convolution: [kBytes / 16] from a window's first byte; null for a matrix
  int64_t outPixels = 1, outW = 1;
  int64_t imageBytes = 0;        // from one sample to the next
  int64_t stepH = 0, stepW = 0;  // bytes from one output row or column's window to the next
  int64_t groupBytes = 0;

  FAULTLINE_DEVICE const uint8_t* row(int64_t r, int64_t group) const {
    if (!chunkOffset) return codes + r * rowBytes;
    const int64_t pixel = r % outPixels;
    return codes + r / outPixels * imageBytes + pixel / outW * stepH + pixel % outW * stepW + group * groupBytes;
  }
  FAULTLINE_DEVICE int64_t offset(int64_t chunk) const { return chunkOffset ? chunkOffset[chunk] : chunk * kChunk; }
};

template <bool kInt4, int kWarpsN>
struct GemmKernel {
  static constexpr int kThreads = 256;
  static constexpr int kStages = 4;
  static constexpr int kTileN = 32 * kWarpsN;
  static constexpr int kWarpRows = 16 * kWarpsN;  // 8 / kWarpsN warps share 128 rows
  static constexpr int kFragments = kWarpRows / 16;
  static constexpr int kBRowBytes = kInt4 ? kTileK / 2 : kTileK;
  static constexpr int kBRowChunks = kBRowBytes / kChunk;
  static constexpr int kABytes = kTileM * kTileK;
  static constexpr int kBBytes = kTileN * kBRowBytes;
  static constexpr int kStageBytes = kABytes + kBBytes;
  static constexpr int kSharedBytes = kStages * kStageBytes;

  // Grid: x tiles of rows, y tiles of channels, z groups.
  struct Params {
    RowMap a;
    int64_t rows;
    const uint8_t* b;  // [groups][paddedN][kBytes or kBytes / 2]
    int64_t n;         // channels of a group
    int64_t paddedN;   // a multiple of kTileN
    int64_t kBytes;    // a multiple of 64
    Output output;
  };

  static FAULTLINE_DEVICE int swizzleA(int row, int chunk) { return row * kTileK + (chunk ^ (row >> 1 & 3)) * kChunk; }
  static FAULTLINE_DEVICE int swizzleB(int row, int chunk) {
    const int turn = kInt4 ? row >> 2 & 1 : row >> 1 & 3;
    return row * kBRowBytes + (chunk ^ turn) * kChunk;
  }

  // What one thread copies for a stage: chunk `aChunk` of rows aRow and aRow + 64, and its share of B.
  struct Loader {
    const uint8_t* a[2];
    bool valid[2];
    const uint8_t* b;
    int64_t bStride;
  };
  static constexpr int kARowsApart = kThreads / (kTileK / kChunk);
  static constexpr int kBRowsApart = kThreads / kBRowChunks;

  static FAULTLINE_DEVICE void loadStage(const Params& p, const Loader& from, const Cta& cta, int64_t step) {
    uint8_t* stage = cta.shared + step % kStages * kStageBytes;
    const int aChunk = cta.thread % (kTileK / kChunk);
    const int aRow = cta.thread / (kTileK / kChunk);
    const int64_t offset = p.a.offset(step * (kTileK / kChunk) + aChunk);
    for (int i = 0; i < 2; ++i) {
      copyAsync(stage + swizzleA(aRow + i * kARowsApart, aChunk), from.a[i] + (from.valid[i] ? offset : 0),
                from.valid[i]);
    }
    const int bChunk = cta.thread % kBRowChunks;
    for (int row = cta.thread / kBRowChunks; row < kTileN; row += kBRowsApart) {
      copyAsync(stage + kABytes + swizzleB(row, bChunk),
                from.b + row * from.bStride + step * kBRowBytes + bChunk * kChunk, true);
    }
  }

  static FAULTLINE_DEVICE void multiplySlab(const uint8_t* stage, const Cta& cta, int slab, int warpRow, int warpColumn,
                                            int32_t (&acc)[kFragments][4][4]) {
    const int lane = cta.lane();
    uint32_t b[4][2];  // of the warp's four octets of channels
    const uint8_t* tile = stage + kABytes;
    if constexpr (kInt4) {
      uint32_t packed[4];
      loadMatrices(packed, tile + swizzleB(warpColumn + lane, slab));
      FAULTLINE_UNROLL
      for (int j = 0; j < 4; ++j) {
        b[j][0] = packed[j] << 4 & 0xf0f0f0f0u;
        b[j][1] = packed[j] & 0xf0f0f0f0u;
      }
    } else {
      FAULTLINE_UNROLL
      for (int pair = 0; pair < 2; ++pair) {
        uint32_t words[4];
        loadMatrices(
            words, tile + swizzleB(warpColumn + pair * 16 + (lane >> 4) * 8 + (lane & 7), slab * 2 + (lane >> 3 & 1)));
        FAULTLINE_UNROLL
        for (int i = 0; i < 4; ++i) b[pair * 2 + i / 2][i % 2] = words[i];
      }
    }
    FAULTLINE_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      uint32_t a[4];
      loadMatrices(a, stage + swizzleA(warpRow + f * 16 + (lane & 15), slab * 2 + (lane >> 4)));
      FAULTLINE_UNROLL
      for (int j = 0; j < 4; ++j) mmaU8S8(acc[f][j], a, b[j]);
    }
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t firstRow = static_cast<int64_t>(cta.x) * kTileM;
    const int64_t firstChannel = static_cast<int64_t>(cta.y) * kTileN;
    Loader from;
    for (int i = 0; i < 2; ++i) {
      const int64_t row = firstRow + cta.thread / (kTileK / kChunk) + i * kARowsApart;
      from.valid[i] = row < p.rows;
      from.a[i] = p.a.row(from.valid[i] ? row : 0, cta.z);
    }
    from.bStride = kInt4 ? p.kBytes / 2 : p.kBytes;
    from.b = p.b + (cta.z * p.paddedN + firstChannel) * from.bStride;

    const int64_t steps = p.kBytes / kTileK;
    for (int64_t step = 0; step < kStages - 1; ++step) {
      if (step < steps) loadStage(p, from, cta, step);
      commitCopies();
    }
    int32_t acc[kFragments][4][4] = {};
    const int warpRow = cta.warp() / kWarpsN * kWarpRows;
    const int warpColumn = cta.warp() % kWarpsN * 32;
    for (int64_t step = 0; step < steps; ++step) {
      waitCopies<kStages - 2>();
      syncBlock();  // all copies of this stage have arrived, and no thread reads the one that is filled next
      if (step + kStages - 1 < steps) loadStage(p, from, cta, step + kStages - 1);
      commitCopies();
      const uint8_t* stage = cta.shared + step % kStages * kStageBytes;
      FAULTLINE_UNROLL
      for (int slab = 0; slab < kTileK / kSlabK; ++slab) multiplySlab(stage, cta, slab, warpRow, warpColumn, acc);
    }

    FAULTLINE_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      FAULTLINE_UNROLL
      for (int j = 0; j < 4; ++j) {
        FAULTLINE_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int64_t row = firstRow + warpRow + f * 16 + cta.lane() / 4 + i / 2 * 8;
          const int64_t channel = firstChannel + warpColumn + j * 8 + cta.lane() % 4 * 2 + i % 2;
          if (row >= p.rows || channel >= p.n) continue;
          const int32_t sum = kInt4 ? acc[f][j][i] >> 4 : acc[f][j][i];
          storeOutput(p.output, sum, row, cta.z * p.paddedN + channel, cta.z * p.n + channel);
        }
      }
    }
  }
};

}  // namespace faultline::cuda
