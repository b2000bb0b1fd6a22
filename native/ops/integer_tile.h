// What the ONNX integer products share: operands made fit for the kernels, and tiles of finished accumulators.
//
// The kernels multiply u8 by s8. An s8 left operand becomes u8 by xor 0x80, which adds 128 to codes and zero point; a
// u8 right operand becomes s8 by xor 0x80, which takes 128 off both. The kernels take the left zero point into account;
// a right one is corrected here, from the sums of the rows:
//   Σ_k (a − za)(b − zb) = Σ_k (a − za) · b − zb · (Σ_k a − K · za)
// All of it is exact modulo 2^32, and checkReduction sees to it that nothing leaves int32.
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"
#include "kernels/kernel.h"
#include "ops/schedule.h"
#include "quant/packed_matrix.h"

namespace faultline {

inline constexpr uint8_t kSignBit = 0x80;
inline constexpr int32_t kSignShift = 128;

// A right operand B[n, k].
struct IntegerWeights {
  PackedMatrix matrix;
  std::vector<int32_t> zeroPoint;  // [n], of the packed codes; empty when all are 0
  int32_t reach = 0;               // largest |b − zb|
};

// Packs codes[n, k], which are s8 or (wasUnsigned) u8 with the sign bit flipped. zeroPoint, in the operand's type,
// has entry i · step for channel i; null means 0.
void packIntegerWeights(const int8_t* codes, bool wasUnsigned, int64_t n, int64_t k, const int32_t* zeroPoint,
                        int64_t step, IntegerWeights* out);

// Refuses a K whose sums could leave int32, for left codes u8 with zero points in [minZeroPoint, maxZeroPoint].
Status checkReduction(const char* operation, const IntegerWeights& b, int32_t minZeroPoint, int32_t maxZeroPoint);

// Σ_k a − K · za of one row.
int32_t rowExcess(const uint8_t* row, int64_t k, int32_t zeroPoint);

// From accumulators to the codes of QLinearMatMul and QLinearConv:
//   q = saturate(round(float(c + bias[n]) · fl(fl(aScale · bScale[n]) / yScale)) + yZeroPoint), half to even, in fp32.
struct Requantize {
  const int32_t* bias = nullptr;  // [n]
  const float* bScale = nullptr;  // [n]
  const float* aScale = nullptr;  // row m has entry m · rowStep, here and below
  const float* yScale = nullptr;
  const int32_t* yZeroPoint = nullptr;
  int64_t rowStep = 0;
  bool isSigned = false;
};

// Accumulators of consecutive rows and channels: row r, channel first + i at acc[r · ld + i].
struct Tile {
  int32_t* acc = nullptr;
  int64_t ld = 0;
  int64_t rows = 0;
  int64_t first = 0;
  int64_t channels = 0;
};

// Panels whose accumulators are finished before the next are begun: 256 channels stay in the second-level cache.
inline constexpr int64_t kTilePanels = 16;

// Runs fn(panels, first, channels) over the panels [begin, end) in slices of kTilePanels.
template <typename Fn>
void forTiles(const PackedMatrix& w, const Slice& panels, Fn&& fn) {
  for (int64_t p = panels.begin; p < panels.end; p += kTilePanels) {
    const Slice slice{p, p + kTilePanels < panels.end ? p + kTilePanels : panels.end};
    const int64_t first = slice.begin * kPanel;
    const int64_t last = slice.end * kPanel < w.n ? slice.end * kPanel : w.n;
    fn(slice, first, last - first);
  }
}

// Scratch for the tile of a chunk of `rows` rows.
int32_t* tileScratch(int64_t rows);

// Σ (a − za) b, then the correction for zb. `sameZeroPoint`: all rows have one za. `excess`: rowExcess of each row,
// used when b has zero points.
void multiplyTile(const RowChunk& chunk, const IntegerWeights& b, const Slice& panels, bool sameZeroPoint,
                  const int32_t* excess, const Tile& tile);

// Accumulators to codes, in place. `row`: index of the tile's first row in `how`.
void requantizeTile(const Tile& tile, const Requantize& how, int64_t row);

// Makes a plane's kernel do the same for its channel, with row 0.
void requantizePlane(const Requantize& how, int64_t channel, PlaneCall* call);

// out[r · ld + first + i], codes of one byte.
void storeRows(const Tile& tile, uint8_t* out, int64_t ld);
// out[(first + i) · ld + r]: the transpose.
void storeColumns(const Tile& tile, int32_t* out, int64_t ld);
void storeColumns(const Tile& tile, uint8_t* out, int64_t ld);

}  // namespace faultline
