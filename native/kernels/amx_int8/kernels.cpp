// AMX int8. tdpbusd multiplies a tile of 16 rows × 64 u8 activations with a tile of 64 s8 weights × 16 channels and
// adds to a tile of 16 × 16 int32: 16,384 multiply-adds in 16 cycles. A tile load takes 8 cycles from the first-level
// cache and about 16 from the second, a tile store 16.
//
//   tiles 0–3   C  row block i, panel j at 2 · i + j                int32
//   tiles 4, 5  A  16 rows × 64 bytes of a row block                u8
//   tiles 6, 7  B  one k-block of a panel (packed_matrix.h: 1 KB)   s8
//
// 2 × 2 blocks need one load for a product, the least that eight tiles allow. What would leave the tile unit idle is
// the way from accumulators to outputs, about 4 vector instructions for 16 outputs: finished tiles are stored to a
// scratch block and their rows are converted between the products of the *next* block (class Pending), where the vector
// ports have nothing else to do, but the front end has: four products leave room for 64 × 6 instructions.
//
// Tile configuration belongs to the thread: set at the beginning of a call, released at its end.
#include "kernels/avx512_epilogue.h"

namespace faultline {
namespace {

// With fewer rows a product is bound by reading the weights; the vector kernels do that without 16-row tiles.
constexpr int64_t kFewRows = 4;

// Above this many k-blocks the two row blocks and two panels of a product no longer share a first-level cache of 48 KB:
// then activations, used once a panel pair, are loaded with the hint that leaves the cache to the weights.
constexpr int64_t kResidentBlocks = 10;

// ---- Tile instructions ----------------------------------------------------------------------------------------------
// The compiler's own wrappers do not say that they read memory (GCC 12), so stores to a staging buffer may move past
// them; these do.

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t startRow = 0;
  uint8_t reserved[14] = {};
  uint16_t rowBytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

FAULTLINE_INLINE void loadConfig(const TileConfig& config) { __asm__ volatile("ldtilecfg %0" ::"m"(config)); }
FAULTLINE_INLINE void releaseTiles() { __asm__ volatile("tilerelease"); }

template <int T>
FAULTLINE_INLINE void zeroTile() {
  __asm__ volatile("tilezero %%tmm%c0" ::"i"(T));
}
template <int T>
FAULTLINE_INLINE void loadTile(const void* base, int64_t stride) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(base), "r"(stride), "i"(T) : "memory");
}
template <int T>
FAULTLINE_INLINE void streamTile(const void* base, int64_t stride) {
  __asm__ volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" ::"r"(base), "r"(stride), "i"(T) : "memory");
}
template <int T>
FAULTLINE_INLINE void storeTile(void* base, int64_t stride) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(base), "r"(stride), "i"(T) : "memory");
}
// C += A (u8) · B (s8)
template <int C, int A, int B>
FAULTLINE_INLINE void multiplyTiles() {
  __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(C), "i"(A), "i"(B));
}

constexpr int kTileA = 4;
constexpr int kTileB = 6;

// Rows of the two row blocks (the second may be 0), and bytes of K in a product.
TileConfig configure(int64_t rows0, int64_t rows1, int64_t kBytes) {
  TileConfig config;
  const auto set = [&](int tile, int64_t rows, int64_t bytes) {
    config.rows[tile] = static_cast<uint8_t>(rows);
    config.rowBytes[tile] = static_cast<uint16_t>(rows > 0 ? bytes : 0);
  };
  for (int j = 0; j < 2; ++j) {
    set(0 + j, rows0, 4 * kPanel);
    set(2 + j, rows1, 4 * kPanel);
    set(kTileB + j, kBytes / 4, 4 * kPanel);
  }
  set(kTileA, rows0, kBytes);
  set(kTileA + 1, rows1, kBytes);
  return config;
}

// ---- Weights --------------------------------------------------------------------------------------------------------

// One or two panels as int8 k-blocks. int8 weights are used where they lie; int4 weights are expanded to 16 · w in
// scratch that stays in the cache, a few k-blocks ahead of the first row block that multiplies with them.
template <bool kInt4>
class Panels {
 public:
  Panels(const GemmCall& call, int64_t panel)
      : source_(call.weights->panel(panel)), expanded_(call.expanded), kBlocks_(call.weights->kBlocks) {}

  const uint8_t* block(int j, int64_t b) const {
    if constexpr (kInt4) return expanded_ + (j * kBlocks_ + b) * kInt8BlockBytes;
    return source_ + (j * kBlocks_ + b) * kInt8BlockBytes;
  }

  // Called before k-block b is used by the first row block.
  template <int PB>
  FAULTLINE_INLINE void prepare(int64_t b) {
    if constexpr (kInt4) {
      const int64_t end = b + kAhead < kBlocks_ ? b + kAhead : kBlocks_;
      if (ready_ < b) ready_ = b;  // blocks between two runs are left out
      for (; ready_ < end; ++ready_) {
        for (int j = 0; j < PB; ++j) expand(j, ready_);
      }
    }
  }

 private:
  // A tile load waits for stores that are still on their way to the cache; two products later they have arrived.
  static constexpr int64_t kAhead = 3;

  FAULTLINE_INLINE void expand(int j, int64_t b) {
    const __m512i top = _mm512_set1_epi8(static_cast<char>(0xf0));
    const uint8_t* from = source_ + (j * kBlocks_ + b) * kInt4BlockBytes;
    uint8_t* to = expanded_ + (j * kBlocks_ + b) * kInt8BlockBytes;
    for (int64_t pair = 0; pair < kLinesPerBlock / 2; ++pair) {
      const __m512i both = _mm512_load_si512(from + pair * kLine);
      _mm512_store_si512(to + 2 * pair * kLine, _mm512_and_si512(_mm512_slli_epi16(both, 4), top));
      _mm512_store_si512(to + (2 * pair + 1) * kLine, _mm512_and_si512(both, top));
    }
  }

  const uint8_t* source_;
  uint8_t* expanded_;
  int64_t kBlocks_;
  int64_t ready_ = 0;  // the next k-block to expand
};

// ---- One scale a channel --------------------------------------------------------------------------------------------

constexpr int64_t kScratchRow = 2 * kPanel;  // int32 elements: two panels side by side

// What the vector unit does between products: accumulators of a finished block on their way to the output, a few rows
// at a time, and the caller's side work.
template <bool kInt4>
class Pending {
 public:
  explicit Pending(const GemmCall& call) : call_(call) {}
  int32_t* accumulators() { return accumulators_; }

  void start(int64_t row, int64_t rows, int64_t panel, int panels) {
    row_ = row;
    panel_ = panel;
    panels_ = panels;
    done_ = 0;
    rows_ = rows;
  }
  // Between two products.
  FAULTLINE_INLINE void step(int64_t rows) {
    convert(rows);
    if (call_.sideWork.step) call_.sideWork.step(call_.sideWork.context);
  }
  void finishAll() { convert(rows_); }

 private:
  FAULTLINE_INLINE void convert(int64_t rows) {
    const int64_t end = done_ + rows < rows_ ? done_ + rows : rows_;
    if (done_ == end) return;
    // For all the compiler knows, vector stores might change what these are copies of.
    const GemmCall call = call_;
    const int64_t row = row_;
    for (int j = 0; j < panels_; ++j) {
      PanelTerms terms(call, panel_ + j);
      const int32_t* from = accumulators_ + j * kPanel;
      for (int64_t r = done_; r < end; ++r) {
        storeRow<kInt4>(call, terms, row + r, _mm512_load_si512(from + r * kScratchRow), call.sameParams);
      }
    }
    done_ = end;
  }

  const GemmCall& call_;
  int64_t row_ = 0;
  int64_t rows_ = 0;
  int64_t done_ = 0;
  int64_t panel_ = 0;
  int panels_ = 0;
  alignas(64) int32_t accumulators_[2 * kRowBlock * kScratchRow];
};

// RB row blocks from row block `block` × PB panels from `panel`, all of K.
template <int RB, int PB, bool kInt4>
void multiplyBlock(const GemmCall& call, Panels<kInt4>& weights, int64_t block, int64_t rows, int64_t panel,
                   Pending<kInt4>& pending) {
  const int64_t kBlocks = call.weights->kBlocks;
  const uint8_t* const* a0 = call.a + block * kBlocks;
  const uint8_t* const* a1 = a0 + kBlocks;
  const KRuns& runs = call.runs;
  const int64_t runBlocks = ceilDiv(runs.groups, kLinesPerBlock);
  const int64_t products = runs.begin < runs.end ? ceilDiv(runs.end - runs.begin, runs.step) * runBlocks : 0;
  const bool stream = products > kResidentBlocks;
  const int64_t rowsPerStep = products > 0 ? ceilDiv(2 * kRowBlock, products) : 0;
  zeroTile<0>();
  if constexpr (PB == 2) zeroTile<1>();
  if constexpr (RB == 2) zeroTile<2>();
  if constexpr (RB == 2 && PB == 2) zeroTile<3>();
  for (int64_t run = runs.begin; run < runs.end; run += runs.step) {
    for (int64_t b = run; b < run + runBlocks; ++b) {
      weights.template prepare<PB>(b);
      loadTile<kTileB>(weights.block(0, b), kLine);
      if (stream) {
        streamTile<kTileA>(a0[b], call.aRowStride);
        if constexpr (RB == 2) streamTile<kTileA + 1>(a1[b], call.aRowStride);
      } else {
        loadTile<kTileA>(a0[b], call.aRowStride);
        if constexpr (RB == 2) loadTile<kTileA + 1>(a1[b], call.aRowStride);
      }
      multiplyTiles<0, kTileA, kTileB>();
      if constexpr (RB == 2) multiplyTiles<2, kTileA + 1, kTileB>();
      if constexpr (PB == 2) {
        loadTile<kTileB + 1>(weights.block(1, b), kLine);
        multiplyTiles<1, kTileA, kTileB + 1>();
        if constexpr (RB == 2) multiplyTiles<3, kTileA + 1, kTileB + 1>();
      }
      pending.step(rowsPerStep);
    }
  }
  pending.finishAll();
  int32_t* to = pending.accumulators();
  constexpr int64_t kStride = kScratchRow * sizeof(int32_t);
  storeTile<0>(to, kStride);
  if constexpr (PB == 2) storeTile<1>(to + kPanel, kStride);
  if constexpr (RB == 2) storeTile<2>(to + kRowBlock * kScratchRow, kStride);
  if constexpr (RB == 2 && PB == 2) storeTile<3>(to + kRowBlock * kScratchRow + kPanel, kStride);
  pending.start(block * kRowBlock, rows, panel, PB);
}

// All panels against the row blocks [firstBlock, lastBlock), RB at a time.
template <int RB, bool kInt4>
void multiplyRows(const GemmCall& call, int64_t firstBlock, int64_t lastBlock, Pending<kInt4>& pending) {
  const auto rowsFrom = [&](int64_t block) {
    const int64_t left = call.rows - block * kRowBlock;
    return left < RB * kRowBlock ? left : RB * kRowBlock;
  };
  int64_t panel = call.panelBegin;
  for (; panel + 2 <= call.panelEnd; panel += 2) {
    Panels<kInt4> weights(call, panel);
    for (int64_t block = firstBlock; block < lastBlock; block += RB) {
      multiplyBlock<RB, 2, kInt4>(call, weights, block, rowsFrom(block), panel, pending);
    }
  }
  if (panel < call.panelEnd) {
    Panels<kInt4> weights(call, panel);
    for (int64_t block = firstBlock; block < lastBlock; block += RB) {
      multiplyBlock<RB, 1, kInt4>(call, weights, block, rowsFrom(block), panel, pending);
    }
  }
}

template <bool kInt4>
void multiply(const GemmCall& call) {
  Pending<kInt4> pending(call);
  const int64_t fullPairs = call.rows / (2 * kRowBlock);
  if (fullPairs > 0) {
    loadConfig(configure(kRowBlock, kRowBlock, kBlockK));
    multiplyRows<2, kInt4>(call, 0, 2 * fullPairs, pending);
  }
  const int64_t block = 2 * fullPairs;
  const int64_t left = call.rows - block * kRowBlock;
  if (left > kRowBlock) {
    loadConfig(configure(kRowBlock, left - kRowBlock, kBlockK));
    multiplyRows<2, kInt4>(call, block, block + 1, pending);
  } else if (left > 0) {
    loadConfig(configure(left, 0, kBlockK));
    multiplyRows<1, kInt4>(call, block, block + 1, pending);
  }
  pending.finishAll();
  releaseTiles();
}

// ---- Scales by group of K -------------------------------------------------------------------------------------------
// Every group's accumulators pass through the vector unit, so that the product is bound there: one 16 × 16 tile whose
// 16 rows of fp32 totals stay in registers, with two accumulator tiles and scratch blocks in turn, so that the tile
// unit works on the next group meanwhile.

template <int T>
FAULTLINE_INLINE void multiplyGroup(const uint8_t* const* a, int64_t aRowStride, const uint8_t* b, int64_t begin,
                                    int64_t end, int64_t kBytes, int32_t* acc) {
  zeroTile<T>();
  for (int64_t k = begin; k < end; k += kBytes) {
    loadTile<kTileA>(a[k / kBlockK] + k % kBlockK, aRowStride);
    loadTile<kTileB>(b + k * kPanel, kLine);
    multiplyTiles<T, kTileA, kTileB>();
  }
  storeTile<T>(acc, kPanel * sizeof(int32_t));
}

template <bool kInt4>
FAULTLINE_INLINE void addGroupRows(const PackedMatrix& w, int64_t at, const int32_t* acc, const __m512i* zeroPoints,
                                   __m512 (&total)[kRowBlock]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRowBlock; ++r) {
    total[r] = addGroup<kInt4>(w, at, _mm512_load_si512(acc + r * kPanel), zeroPoints[r], total[r]);
  }
}

template <bool kInt4>
void multiplyGroupedBlock(const GemmCall& call, const Panels<kInt4>& weights, int64_t block, int64_t rows,
                          int64_t panel) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* a = call.a + block * w.kBlocks;
  const uint8_t* b = weights.block(0, 0);
  const int64_t kBytes = w.blockSize < kBlockK ? w.blockSize : kBlockK;
  // The weights past K are zero, so the last group may run to the end of its tile.
  const auto groupEnd = [&](int64_t g) {
    const int64_t end = (g + 1) * w.blockSize < w.k ? (g + 1) * w.blockSize : w.k;
    return roundUp(end, kBytes);
  };
  alignas(64) int32_t acc[2][kRowBlock * kPanel] = {};
  __m512i zeroPoints[kRowBlock];
  __m512 total[kRowBlock];
  for (int r = 0; r < kRowBlock; ++r) {
    zeroPoints[r] = zeroPair(r < rows ? call.zeroPoint[block * kRowBlock + r] : 0);
    total[r] = _mm512_setzero_ps();
  }
  const auto at = [&](int64_t g) { return g * w.paddedN() + panel * kPanel; };
  multiplyGroup<0>(a, call.aRowStride, b, 0, groupEnd(0), kBytes, acc[0]);
  int64_t g = 1;
  for (; g + 2 <= w.scaleGroups; g += 2) {
    multiplyGroup<1>(a, call.aRowStride, b, g * w.blockSize, groupEnd(g), kBytes, acc[1]);
    addGroupRows<kInt4>(w, at(g - 1), acc[0], zeroPoints, total);
    multiplyGroup<0>(a, call.aRowStride, b, (g + 1) * w.blockSize, groupEnd(g + 1), kBytes, acc[0]);
    addGroupRows<kInt4>(w, at(g), acc[1], zeroPoints, total);
  }
  addGroupRows<kInt4>(w, at(g - 1), acc[0], zeroPoints, total);
  if (g < w.scaleGroups) {
    multiplyGroup<1>(a, call.aRowStride, b, g * w.blockSize, groupEnd(g), kBytes, acc[1]);
    addGroupRows<kInt4>(w, at(g), acc[1], zeroPoints, total);
  }
  const PanelTerms terms(call, panel);
  for (int r = 0; r < rows; ++r) storeGrouped(call, terms, block * kRowBlock + r, total[r]);
}

template <bool kInt4>
void multiplyGroupedRows(const GemmCall& call, int64_t firstBlock, int64_t lastBlock) {
  for (int64_t panel = call.panelBegin; panel < call.panelEnd; ++panel) {
    Panels<kInt4> weights(call, panel);
    for (int64_t b = 0; b < call.weights->kBlocks; ++b) weights.template prepare<1>(b);
    for (int64_t block = firstBlock; block < lastBlock; ++block) {
      const int64_t left = call.rows - block * kRowBlock;
      multiplyGroupedBlock<kInt4>(call, weights, block, left < kRowBlock ? left : kRowBlock, panel);
    }
  }
}

template <bool kInt4>
void multiplyGrouped(const GemmCall& call) {
  const int64_t kBytes = call.weights->blockSize < kBlockK ? call.weights->blockSize : kBlockK;
  const int64_t fullBlocks = call.rows / kRowBlock;
  if (fullBlocks > 0) {
    loadConfig(configure(kRowBlock, 0, kBytes));
    multiplyGroupedRows<kInt4>(call, 0, fullBlocks);
  }
  if (const int64_t left = call.rows % kRowBlock) {
    loadConfig(configure(left, 0, kBytes));
    multiplyGroupedRows<kInt4>(call, fullBlocks, fullBlocks + 1);
  }
  releaseTiles();
}

// ---- Table ----------------------------------------------------------------------------------------------------------

void gemm(const GemmCall& call) {
  if (call.rows < kFewRows) {
    avx512vnniKernels()->gemm(call);
    return;
  }
  const bool int4 = call.weights->storage == WeightStorage::int4;
  if (call.weights->blockSize > 0) {
    int4 ? multiplyGrouped<true>(call) : multiplyGrouped<false>(call);
  } else {
    int4 ? multiply<true>(call) : multiply<false>(call);
  }
}

// Range and quantization have no use for tiles. The table is a constant: asking for it runs no instruction that an
// older processor lacks.
bool scanRange(const float* x, int64_t n, float* min, float* max) {
  return avx512vnniKernels()->scanRange(x, n, min, max);
}
void quantizeRow(const float* x, int64_t n, const AffineParams& params, uint8_t* out, int64_t blockStride) {
  avx512vnniKernels()->quantizeRow(x, n, params, out, blockStride);
}

constexpr KernelTable kTable = {Isa::amxInt8, 4, scanRange, quantizeRow, gemm, &avx512vnniDepthwise};

}  // namespace

const KernelTable* amxInt8Kernels() { return &kTable; }

}  // namespace faultline
