#include "ops/integer_tile.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "dispatch/dispatch.h"
#include "ops/matmul.h"
#include "ops/transpose.h"
#include "quant/affine.h"

namespace faultline {
namespace {

struct TileMemory;

constexpr int64_t kTileChannels = kTilePanels * kPanel;

int32_t wrap(uint32_t value) { return static_cast<int32_t>(value); }

// At 1.5 · 2^23 the spacing of floats is 1, so the addition rounds, half to even. Exact for |x| ≤ 2^22.
float roundToInteger(float x) {
  constexpr float kSpacingOne = 0x1.8p23f;
  return (x + kSpacingOne) - kSpacingOne;
}

// The codes of one row: limits and zero point.
struct Saturation {
  Saturation(const Requantize& how, int64_t at)
      : zeroPoint(how.yZeroPoint[at]),
        lo(static_cast<float>((how.isSigned ? INT8_MIN : 0) - zeroPoint)),
        hi(static_cast<float>((how.isSigned ? INT8_MAX : UINT8_MAX) - zeroPoint)) {}

  // Saturated before it is rounded, which is the same because the limits are integers.
  int32_t code(int32_t acc, float multiplier) const {
    float v = static_cast<float>(acc) * multiplier;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    return static_cast<int32_t>(roundToInteger(v)) + zeroPoint;
  }

  int32_t zeroPoint;
  float lo;
  float hi;
};

int32_t withBias(int32_t acc, int32_t bias) { return wrap(static_cast<uint32_t>(acc) + static_cast<uint32_t>(bias)); }

// Square blocks of the transpose: a cache line of codes each way.
constexpr int64_t kBlock = 64;

template <typename T>
void storeColumnsAs(const Tile& tile, T* out, int64_t ld) {
  for (int64_t r0 = 0; r0 < tile.rows; r0 += kBlock) {
    const int64_t r1 = std::min(r0 + kBlock, tile.rows);
    for (int64_t i = 0; i < tile.channels; ++i) {
      T* to = out + (tile.first + i) * ld;
      for (int64_t r = r0; r < r1; ++r) to[r] = static_cast<T>(tile.acc[r * tile.ld + i]);
    }
  }
}

}  // namespace

void packIntegerWeights(const int8_t* codes, bool wasUnsigned, int64_t n, int64_t k, const int32_t* zeroPoint,
                        int64_t step, IntegerWeights* out) {
  packMatrix(codes, nullptr, n, k, kMaxBits, WeightStorage::int8, 0, kernels().kGroup, &out->matrix);
  const int32_t shift = wasUnsigned ? kSignShift : 0;
  out->zeroPoint.resize(static_cast<size_t>(n));
  out->reach = 0;
  bool any = false;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t z = (zeroPoint ? zeroPoint[i * step] : 0) - shift;
    out->zeroPoint[static_cast<size_t>(i)] = z;
    out->reach = std::max({out->reach, INT8_MAX - z, z - INT8_MIN});
    any = any || z != 0;
  }
  if (!any) out->zeroPoint.clear();
}

Status checkReduction(const char* operation, const IntegerWeights& b, int32_t minZeroPoint, int32_t maxZeroPoint) {
  const int64_t reach = std::max(UINT8_MAX - minZeroPoint, maxZeroPoint);
  // The result itself, and the sums inside the kernel, which know the right operand without its zero point.
  const int64_t limit = std::min(std::numeric_limits<int32_t>::max() / (reach * std::max(b.reach, 1)),
                                 largestSafeK(kMaxBits, kSignShift, WeightStorage::int8));
  if (b.matrix.k <= limit) return Status::ok();
  return Status::invalid(operation, "K", "at most " + std::to_string(limit) + " (int32 accumulators)",
                         std::to_string(b.matrix.k));
}

int32_t rowExcess(const uint8_t* row, int64_t k, int32_t zeroPoint) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += row[i];
  return wrap(sum - static_cast<uint32_t>(k) * static_cast<uint32_t>(zeroPoint));
}

int32_t* tileScratch(int64_t rows) { return scratch<TileMemory, int32_t>(static_cast<size_t>(rows * kTileChannels)); }

void multiplyTile(const RowChunk& chunk, const IntegerWeights& b, const Slice& panels, bool sameZeroPoint,
                  const int32_t* excess, const Tile& tile) {
  GemmCall call = chunk.call(b.matrix, panels);
  call.sameParams = sameZeroPoint;
  call.acc = tile.acc - tile.first;  // the kernel counts channels from 0
  call.ld = tile.ld;
  kernels().gemm(call);
  if (b.zeroPoint.empty()) return;
  const int32_t* zeroPoint = b.zeroPoint.data() + tile.first;
  for (int64_t r = 0; r < tile.rows; ++r) {
    int32_t* acc = tile.acc + r * tile.ld;
    const uint32_t e = static_cast<uint32_t>(excess[r]);
    for (int64_t i = 0; i < tile.channels; ++i) {
      acc[i] = wrap(static_cast<uint32_t>(acc[i]) - static_cast<uint32_t>(zeroPoint[i]) * e);
    }
  }
}

void requantizeTile(const Tile& tile, const Requantize& how, int64_t row) {
  float multiplier[kTileChannels];
  for (int64_t r = 0; r < tile.rows; ++r) {
    const int64_t at = (row + r) * how.rowStep;
    if (r == 0 || how.rowStep != 0) {
      for (int64_t i = 0; i < tile.channels; ++i) {
        multiplier[i] = how.aScale[at] * how.bScale[tile.first + i] / how.yScale[at];
      }
    }
    const Saturation saturation(how, at);
    int32_t* acc = tile.acc + r * tile.ld;
    if (how.bias) {
      const int32_t* bias = how.bias + tile.first;
      for (int64_t i = 0; i < tile.channels; ++i) acc[i] = withBias(acc[i], bias[i]);
    }
    for (int64_t i = 0; i < tile.channels; ++i) acc[i] = saturation.code(acc[i], multiplier[i]);
  }
}

void requantizePlane(const Requantize& how, int64_t channel, PlaneCall* call) {
  const Saturation saturation(how, 0);
  call->multiplier = how.aScale[0] * how.bScale[channel] / how.yScale[0];
  call->lo = saturation.lo;
  call->hi = saturation.hi;
  call->zeroPoint = saturation.zeroPoint;
  if (how.bias) call->init = withBias(call->init, how.bias[channel]);
}

void storeRows(const Tile& tile, uint8_t* out, int64_t ld) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    const int32_t* acc = tile.acc + r * tile.ld;
    uint8_t* to = out + r * ld + tile.first;
    for (int64_t i = 0; i < tile.channels; ++i) to[i] = static_cast<uint8_t>(acc[i]);
  }
}

void storeColumns(const Tile& tile, int32_t* out, int64_t ld) { storeColumnsAs(tile, out, ld); }

void storeColumns(const Tile& tile, uint8_t* out, int64_t ld) {
  uint8_t codes[kTransposed * kTileChannels];
  int64_t r = 0;
  for (; r + kTransposed <= tile.rows; r += kTransposed) {
    for (int64_t u = 0; u < kTransposed; ++u) {
      const int32_t* acc = tile.acc + (r + u) * tile.ld;
      uint8_t* to = codes + u * kTileChannels;
      for (int64_t i = 0; i < tile.channels; ++i) to[i] = static_cast<uint8_t>(acc[i]);
    }
    uint8_t* to = out + tile.first * ld + r;
    int64_t i = 0;
    for (; i + kTransposed <= tile.channels; i += kTransposed) {
      transposeBytes(codes + i, kTileChannels, 0, to + i * ld, ld);
    }
    for (; i < tile.channels; ++i) {
      for (int64_t u = 0; u < kTransposed; ++u) to[i * ld + u] = codes[u * kTileChannels + i];
    }
  }
  const Tile rest{tile.acc + r * tile.ld, tile.ld, tile.rows - r, tile.first, tile.channels};
  storeColumnsAs(rest, out + r, ld);
}

}  // namespace faultline
