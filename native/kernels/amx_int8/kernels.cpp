// AMX int8. tdpbusd multiplies a tile of 16 rows × 64 u8 activations with a tile of 64 s8 weights × 16 channels and
// adds to a tile of 16 × 16 int32: 16,384 multiply-adds in 16 cycles, the result 52 cycles after its start. A tile load
// takes 8 cycles from the first-level cache and 21 from the second, a tile store 16. The load that is to spare the
// cache (tileloaddt1) takes 33 (Intel's optimization manual), so that it spares nothing.
//
//   tiles 0–3   C  row block i, panel j at 2 · i + j                int32
//   tiles 4, 5  A  16 rows × 64 bytes of a row block                u8
//   tiles 6, 7  B  one k-block of a panel (packed_matrix.h: 1 KB)   s8
//
// 2 × 2 blocks need one load for a product, the least that eight tiles allow; two of four loads may come from the
// second-level cache. What would leave the tile unit idle is the way from accumulators to outputs: finished tiles are
// stored to a scratch block and their rows are converted between the products of the *next* block (class Pending),
// where the vector ports have nothing else to do. The tiles of a product are loaded before the vector work that
// precedes it: the window of out-of-order execution, 512 instructions, may not reach from one product to the next.
// bench/results/2026-11-28-amx-model.md says what a model of the processor made of other schedules.
//
// Tile configuration belongs to the thread: set at the beginning of a call, released at its end.
#include <cstring>

#include "kernels/amx_int8/pending.h"

namespace faultline {
namespace {

// With fewer rows a product is bound by reading the weights; the vector kernels do that without 16-row tiles.
constexpr int64_t kFewRows = 4;

// Of the first-level cache, 48 KB, up to this many k-blocks of two row blocks take a third.
constexpr int64_t kResidentBlocks = 8;
// Half of the second-level cache: 2 MB wherever there is AMX.
constexpr int64_t kResidentPanelBytes = 1 << 20;

// ---- Tile instructions ----------------------------------------------------------------------------------------------
// The compiler's wrappers do not say that they read memory (GCC 12), so stores to a staging buffer may move past
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

  // Called before k-block b is used by the first row block, which goes through them upward.
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

// The k-blocks of a call, first to last or last to first.
class KWalk {
 public:
  KWalk(const KRuns& runs, bool upward)
      : runBlocks_(ceilDiv(runs.groups, kLinesPerBlock)),
        runs_(runs.begin < runs.end ? ceilDiv(runs.end - runs.begin, runs.step) : 0),
        direction_(upward ? 1 : -1),
        jump_(direction_ * (runs.step - runBlocks_)),
        block_(upward ? runs.begin : runs.begin + (runs_ - 1) * runs.step + runBlocks_ - 1),
        leftInRun_(runBlocks_) {}

  int64_t blocks() const { return runs_ * runBlocks_; }
  int64_t block() const { return block_; }
  FAULTLINE_INLINE void advance() {
    block_ += direction_;
    if (--leftInRun_ > 0) return;
    block_ += jump_;
    leftInRun_ = runBlocks_;
  }

 private:
  int64_t runBlocks_;
  int64_t runs_;
  int64_t direction_;
  int64_t jump_;
  int64_t block_;
  int64_t leftInRun_;
};

template <int RB, int PB>
FAULTLINE_INLINE void storeTiles(int32_t* to, int64_t ld) {
  const int64_t stride = ld * static_cast<int64_t>(sizeof(int32_t));
  storeTile<0>(to, stride);
  if constexpr (PB == 2) storeTile<1>(to + kPanel, stride);
  if constexpr (RB == 2) storeTile<2>(to + kRowBlock * ld, stride);
  if constexpr (RB == 2 && PB == 2) storeTile<3>(to + kRowBlock * ld + kPanel, stride);
}

// Whether accumulators are outputs as they are.
bool storesPlain(const GemmCall& call) {
  return call.acc && call.sameParams && call.zeroPoint[0] == 0 && call.weights->n % kPanel == 0;
}

// RB row blocks from row block `block` × PB panels from `panel`, all of K, upward or downward.
template <int RB, int PB, bool kInt4>
void multiplyBlock(const GemmCall& call, Panels<kInt4>& weights, int64_t block, int64_t rows, int64_t panel,
                   bool upward, Pending<kInt4>& pending) {
  const int64_t kBlocks = call.weights->kBlocks;
  const uint8_t* const* a0 = call.a + block * kBlocks;
  const uint8_t* const* a1 = a0 + kBlocks;
  const bool plain = !kInt4 && storesPlain(call);
  zeroTile<0>();
  if constexpr (PB == 2) zeroTile<1>();
  if constexpr (RB == 2) zeroTile<2>();
  if constexpr (RB == 2 && PB == 2) zeroTile<3>();
  KWalk walk(call.runs, upward);
  const auto load = [&]() __attribute__((always_inline)) {
    const int64_t b = walk.block();
    weights.template prepare<PB>(b);
    loadTile<kTileB>(weights.block(0, b), kLine);
    loadTile<kTileA>(a0[b], call.aRowStride);
    if constexpr (RB == 2) loadTile<kTileA + 1>(a1[b], call.aRowStride);
    if constexpr (PB == 2) loadTile<kTileB + 1>(weights.block(1, b), kLine);
  };
  int64_t left = walk.blocks();
  if (left > 0) load();
  while (left > 0) {
    multiplyTiles<0, kTileA, kTileB>();
    if constexpr (RB == 2) multiplyTiles<2, kTileA + 1, kTileB>();
    if constexpr (PB == 2) multiplyTiles<1, kTileA, kTileB + 1>();
    if constexpr (RB == 2 && PB == 2) multiplyTiles<3, kTileA + 1, kTileB + 1>();
    if (--left > 0) {
      walk.advance();
      load();
    }
    pending.step();
  }
  const int64_t row = block * kRowBlock;
  if (plain) {
    storeTiles<RB, PB>(call.acc + row * call.ld + panel * kPanel, call.ld);
  } else {
    pending.finishAll();
    storeTiles<RB, PB>(pending.accumulators(), kScratchRow);
    pending.start(row, rows, panel, PB);
  }
}

// All panels against the row blocks [firstBlock, lastBlock), RB at a time.
//
// Panels that stay in the second-level cache stream past rows that stay in the first, and outputs are written row by
// row. Others, and int4 panels, which are expanded once, are used for all rows before the next are.
//
// With a long K nothing stays in the first-level cache from one block to the next but what was used last. So a block
// starts at that end of K where the one before it stopped.
template <int RB, bool kInt4>
void multiplyRows(const GemmCall& call, int64_t firstBlock, int64_t lastBlock, Pending<kInt4>& pending) {
  const int64_t kBlocks = call.weights->kBlocks;
  const bool turn = KWalk(call.runs, true).blocks() > kResidentBlocks;
  bool upward = true;
  const auto multiplyAt = [&]<int PB>(Panels<kInt4>& weights, int64_t block, int64_t panel) {
    const int64_t left = call.rows - block * kRowBlock;
    const int64_t rows = left < RB * kRowBlock ? left : RB * kRowBlock;
    multiplyBlock<RB, PB, kInt4>(call, weights, block, rows, panel, upward, pending);
    upward = turn ? !upward : true;
  };
  // Rows [first, last) against all panels. int4 panels are expanded upward.
  const auto multiplyPanels = [&](int64_t first, int64_t last) {
    int64_t panel = call.panelBegin;
    for (; panel + 2 <= call.panelEnd; panel += 2) {
      Panels<kInt4> weights(call, panel);
      if (kInt4) upward = true;
      for (int64_t block = first; block < last; block += RB) multiplyAt.template operator()<2>(weights, block, panel);
    }
    if (panel < call.panelEnd) {
      Panels<kInt4> weights(call, panel);
      if (kInt4) upward = true;
      for (int64_t block = first; block < last; block += RB) multiplyAt.template operator()<1>(weights, block, panel);
    }
  };
  if (kInt4 || (call.panelEnd - call.panelBegin) * kBlocks * kInt8BlockBytes > kResidentPanelBytes) {
    multiplyPanels(firstBlock, lastBlock);
  } else {
    for (int64_t block = firstBlock; block < lastBlock; block += RB) multiplyPanels(block, block + RB);
  }
}

template <bool kInt4>
void multiply(const GemmCall& call) {
  Pending<kInt4> pending(call, KWalk(call.runs, true).blocks());
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

// K from `begin` to `end`, kBytes at a time.
template <int T>
FAULTLINE_INLINE void multiplyGroup(const uint8_t* const* a, int64_t aRowStride, const uint8_t* b, uint64_t begin,
                                    uint64_t end, uint64_t kBytes, int32_t* acc) {
  zeroTile<T>();
  for (uint64_t k = begin; k < end; k += kBytes) {
    loadTile<kTileA>(a[k / kBlockK] + k % kBlockK, aRowStride);
    loadTile<kTileB>(b + k * kPanel, kLine);
    multiplyTiles<T, kTileA, kTileB>();
  }
  storeTile<T>(acc, kPanel * sizeof(int32_t));
}

// The correction of zero points reads its operand from memory: as a register for each row it would push the totals out.
FAULTLINE_INLINE void correctGroup(__m512i& acc, __m512i sumPairs, const int32_t& zeroPair) {
  asm("vpdpwssd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(sumPairs), "m"(zeroPair));
}

template <bool kInt4>
FAULTLINE_INLINE void addGroupRows(const int32_t* sumPairs, const float* scales, const int32_t* acc,
                                   const int32_t (&zeroPairs)[kRowBlock], __m512 (&total)[kRowBlock]) {
  const __m512i pairs = _mm512_load_si512(sumPairs);
  const __m512 scale = _mm512_load_ps(scales);
#pragma GCC unroll 16
  for (int r = 0; r < kRowBlock; ++r) {
    __m512i c = trueSum<kInt4>(_mm512_load_si512(acc + r * kPanel));
    correctGroup(c, pairs, zeroPairs[r]);
    total[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(c), scale, total[r]);
  }
}

template <bool kInt4>
void multiplyGroupedBlock(const GemmCall& call, const Panels<kInt4>& weights, int64_t block, int64_t rows,
                          int64_t panel) {
  const PackedMatrix& w = *call.weights;
  const uint8_t* const* a = call.a + block * w.kBlocks;
  const int64_t aRowStride = call.aRowStride, blockSize = w.blockSize, groups = w.scaleGroups, n = w.paddedN();
  const uint8_t* b = weights.block(0, 0);
  const int64_t kBytes = blockSize < kBlockK ? blockSize : kBlockK;
  // The weights past K are zero, so the last group may run to the end of its tile.
  const int64_t kEnd = roundUp(w.k, kBytes);
  const int32_t* sumPairs = w.sumPairs.data() + panel * kPanel;
  const float* scales = w.scales.data() + panel * kPanel;
  alignas(64) int32_t acc[2][kRowBlock * kPanel];
  int32_t zeroPairs[kRowBlock];
  __m512 total[kRowBlock];
#pragma GCC unroll 16
  for (int r = 0; r < kRowBlock; ++r) {
    const uint32_t zero = static_cast<uint32_t>(r < rows ? call.zeroPoint[block * kRowBlock + r] : 0);
    zeroPairs[r] = static_cast<int32_t>(zero | (zero * 128) << 16);
    total[r] = _mm512_setzero_ps();
  }
  if (rows < kRowBlock) std::memset(acc, 0, sizeof acc);
  int64_t begin = 0;
  const auto multiply = [&]<int T>() __attribute__((always_inline)) {
    const int64_t end = begin + blockSize < kEnd ? begin + blockSize : kEnd;
    multiplyGroup<T>(a, aRowStride, b, begin, end, kBytes, acc[T]);
    begin = end;
  };
  const auto add = [&]<int T>() __attribute__((always_inline)) {
    addGroupRows<kInt4>(sumPairs, scales, acc[T], zeroPairs, total);
    sumPairs += n;
    scales += n;
  };
  multiply.template operator()<0>();
  int64_t g = 1;
  for (; g + 2 <= groups; g += 2) {
    multiply.template operator()<1>();
    add.template operator()<0>();
    multiply.template operator()<0>();
    add.template operator()<1>();
  }
  if (g < groups) multiply.template operator()<1>();
  add.template operator()<0>();
  if (g < groups) add.template operator()<1>();
  const PanelTerms terms(call, panel);
  __m512 sums[kRowBlock];  // a copy, so that the loop below does not keep the totals in memory
#pragma GCC unroll 16
  for (int r = 0; r < kRowBlock; ++r) sums[r] = total[r];
  for (int r = 0; r < rows; ++r) storeGrouped(call, terms, block * kRowBlock + r, sums[r]);
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

void gemm_u8s8_s32_amx_int8(const GemmCall& call) {
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
bool scanRange_f32_amx_int8(const float* x, int64_t n, float* min, float* max) {
  return avx512vnniKernels()->scanRange(x, n, min, max);
}
void quantizeRow_f32_u8_amx_int8(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                                 int64_t blockStride) {
  avx512vnniKernels()->quantizeRow(x, n, params, out, blockStride);
}

constexpr KernelTable kTable = {
    Isa::amxInt8, 4, scanRange_f32_amx_int8, quantizeRow_f32_u8_amx_int8, gemm_u8s8_s32_amx_int8, &avx512vnniDepthwise};

}  // namespace

const KernelTable* amxInt8Kernels() { return &kTable; }

}  // namespace faultline
