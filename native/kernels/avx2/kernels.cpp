// AVX2 with FMA. There is no exact 8-bit dot product: vpmaddubsw adds two u8 · s8 products in 16 bits and saturates.
// So the largest weight of a matrix chooses the way, and every way is exact:
//
//   narrow  2 · 255 · |w| ≤ 32767, |w| ≤ 64: vpmaddubsw, vpmaddwd by ones, vpaddd for 32 products.
//   deep    |w| ≤ 8, so all int4: eight pair sums fit 16 bits. vpmaddubsw and vpaddw; the step to 32 bits is shared.
//   wide    any s8: operands as 16 bits, two vpmaddwd and two vpaddd for 32 products. Activations are widened into a
//           buffer on the stack once for many panels, weights by vpmovsxbw as they are loaded.
//
// A tile is up to 6 rows × 2 accumulators: 12 of the 16 registers, 2 weights, 1 activation, 1 product. With only vpaddd
// in the chain, even one row keeps the multipliers busy.
#include <immintrin.h>

#include "kernels/avx2/quantize.h"
#include "kernels/kernel.h"

namespace faultline {
namespace {

constexpr int kMaxRows = 6;        // rows of a tile
constexpr int kMaxDeepRows = 4;    // twice the accumulators: with six rows they spill
constexpr int64_t kDeepLines = 8;  // pair sums that fit 16 bits when |w| ≤ 8
constexpr int32_t kDeepLimit = 32767 / (2 * 255 * kDeepLines);
constexpr int32_t kNarrowLimit = 32767 / (2 * 255);
static_assert(kDeepLimit == 8 && kNarrowLimit == 64);

enum class Mode { wide, narrow, deep, deepInt4 };

// Ones in the first `count` of eight lanes; count is 1 … 8.
FAULTLINE_INLINE __m256i headMask(int64_t count) {
  alignas(32) static constexpr int32_t kOnesThenZeros[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnesThenZeros + kVector - count));
}

// ---- Activations ----------------------------------------------------------------------------------------------------

// The activations of one tile, block by block: as they are, or widened to 16 bits.
class Rows {
 public:
  Rows(const GemmCall& call, int64_t row, int count)
      : first_(row),
        blocks_(call.a + row / kRowBlock * call.weights->kBlocks),
        offset_(row % kRowBlock * call.aRowStride),
        stride_(call.aRowStride),
        kBlocks_(call.weights->kBlocks),
        runs_(call.runs),
        count_(count) {}
  int64_t first() const { return first_; }
  int64_t stride() const { return stride_; }
  const uint8_t* narrow(int64_t block) const { return blocks_[block] + offset_; }
  // [count][64] u16. Kept for the next panels; when K is longer than the buffer, a panel overwrites it piece by piece.
  const uint16_t* wide(int64_t block) {
    if (block < wideBegin_ || block >= wideEnd_) widenFrom(block);
    return wide_ + (block - wideBegin_) * count_ * kBlockK;
  }

 private:
  static constexpr int64_t kWideBlocks = 64;  // 48 KB for six rows

  void widenFrom(int64_t begin) {
    wideBegin_ = begin;
    wideEnd_ = begin + kWideBlocks < kBlocks_ ? begin + kWideBlocks : kBlocks_;
    uint16_t* to = wide_;
    for (int64_t block = begin; block < wideEnd_; ++block) {
      if (!multiplied(block)) {
        to += count_ * kBlockK;
        continue;
      }
      for (int r = 0; r < count_; ++r, to += kBlockK) {
        const uint8_t* from = narrow(block) + r * stride_;
        for (int64_t i = 0; i < kBlockK; i += 16) {
          const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
          _mm256_store_si256(reinterpret_cast<__m256i*>(to + i), _mm256_cvtepu8_epi16(bytes));
        }
      }
    }
  }

  bool multiplied(int64_t block) const {
    const int64_t from = block - runs_.begin;
    return from >= 0 && block < runs_.end && from % runs_.step * kLinesPerBlock < runs_.groups;
  }

  int64_t first_;
  const uint8_t* const* blocks_;
  int64_t offset_, stride_, kBlocks_;
  KRuns runs_;
  int count_;
  int64_t wideBegin_ = 0, wideEnd_ = 0;
  alignas(32) uint16_t wide_[kWideBlocks * kMaxRows * kBlockK];
};

// ---- Product --------------------------------------------------------------------------------------------------------

FAULTLINE_INLINE __m256i load(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }

FAULTLINE_INLINE __m256i broadcast4(const uint8_t* a) {
  int32_t four;
  __builtin_memcpy(&four, a, sizeof four);
  return _mm256_set1_epi32(four);
}
FAULTLINE_INLINE __m256i broadcast4(const uint16_t* a) {
  int64_t four;
  __builtin_memcpy(&four, a, sizeof four);
  return _mm256_set1_epi64x(four);
}

// Keeps the rows of a tile apart: GCC else starts all of them at once, runs out of registers and spills the sums.
FAULTLINE_INLINE void finishRow(__m256i (&sum)[2]) { __asm__ volatile("" : "+x"(sum[0]), "+x"(sum[1])); }

// Sixteen-bit operands: acc[r] holds 8 channels, two partial sums each.
template <int R>
FAULTLINE_INLINE void multiplyWide(__m256i (&acc)[R][2], const uint16_t* a, const uint8_t* b, int64_t lines) {
  for (int64_t line = 0; line < lines; ++line, a += 4, b += kLine) {
    __m256i w[2];
#pragma GCC unroll 8
    for (int v = 0; v < 2; ++v) w[v] = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(b) + v));
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m256i x = broadcast4(a + r * kBlockK);
#pragma GCC unroll 8
      for (int v = 0; v < 2; ++v) acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(x, w[v]));
      finishRow(acc[r]);
    }
  }
}

// acc[r][v] holds channels 8 · v … 8 · v + 7.
template <int R>
FAULTLINE_INLINE void multiplyNarrow(__m256i (&acc)[R][2], const uint8_t* a, int64_t stride, const uint8_t* b,
                                     int64_t lines) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t line = 0; line < lines; ++line, a += 4, b += kLine) {
    const __m256i w[2] = {load(b), load(b + 32)};
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m256i x = broadcast4(a + r * stride);
#pragma GCC unroll 8
      for (int v = 0; v < 2; ++v) {
        acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(_mm256_maddubs_epi16(x, w[v]), ones));
      }
      finishRow(acc[r]);
    }
  }
}

template <int R>
FAULTLINE_INLINE void addPairs(__m256i (&sum)[R][2], const uint8_t* a, int64_t stride, const __m256i (&w)[2]) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const __m256i x = broadcast4(a + r * stride);
#pragma GCC unroll 8
    for (int v = 0; v < 2; ++v) sum[r][v] = _mm256_add_epi16(sum[r][v], _mm256_maddubs_epi16(x, w[v]));
    finishRow(sum[r]);
  }
}

template <int R>
FAULTLINE_INLINE void clear(__m256i (&acc)[R][2]) {
#pragma GCC unroll 8
  for (auto& row : acc) row[0] = row[1] = _mm256_setzero_si256();
}

// As multiplyNarrow, with 16-bit sums of up to kDeepLines lines. int4 lines come in pairs: low nibble, high nibble.
template <int R, bool kInt4>
FAULTLINE_INLINE void multiplyDeep(__m256i (&acc)[R][2], const uint8_t* a, int64_t stride, const uint8_t* b,
                                   int64_t lines) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i value =  // of a two's complement nibble
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
  for (; lines > 0; lines -= kDeepLines) {
    __m256i sum[R][2];
    clear<R>(sum);
    const int64_t run = lines < kDeepLines ? lines : kDeepLines;
    if constexpr (!kInt4) {
      for (int64_t line = 0; line < run; ++line, a += 4, b += kLine) {
        const __m256i w[2] = {load(b), load(b + 32)};
        addPairs<R>(sum, a, stride, w);
      }
    } else {
      for (int64_t line = 0; line < run; line += 2, a += 8, b += kLine) {
        const __m256i pair[2] = {load(b), load(b + 32)};
        __m256i w[2];
#pragma GCC unroll 8
        for (int v = 0; v < 2; ++v) w[v] = _mm256_shuffle_epi8(value, _mm256_and_si256(pair[v], nibble));
        addPairs<R>(sum, a, stride, w);
        if (line + 1 == run) break;
#pragma GCC unroll 8
        for (int v = 0; v < 2; ++v) {
          w[v] = _mm256_shuffle_epi8(value, _mm256_and_si256(_mm256_srli_epi16(pair[v], 4), nibble));
        }
        addPairs<R>(sum, a + 4, stride, w);
      }
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < 2; ++v) acc[r][v] = _mm256_add_epi32(acc[r][v], _mm256_madd_epi16(sum[r][v], ones));
    }
  }
}

// acc += the lines [begin, end) of a panel; b is its start (wide: of its half).
template <int R, Mode kMode>
FAULTLINE_INLINE void multiplyLines(__m256i (&acc)[R][2], Rows& rows, const uint8_t* b, int64_t begin, int64_t end) {
  constexpr int64_t kBlockBytes = kMode == Mode::deepInt4 ? kInt4BlockBytes : kInt8BlockBytes;
  for (int64_t line = begin; line < end;) {
    const int64_t block = line / kLinesPerBlock;
    const int64_t inBlock = line % kLinesPerBlock;
    const int64_t left = end - line;
    const int64_t lines = left < kLinesPerBlock - inBlock ? left : kLinesPerBlock - inBlock;
    const uint8_t* w = b + block * kBlockBytes + inBlock * (kBlockBytes / kLinesPerBlock);
    if constexpr (kMode == Mode::wide) {
      multiplyWide<R>(acc, rows.wide(block) + 4 * inBlock, w, lines);
    } else if constexpr (kMode == Mode::narrow) {
      multiplyNarrow<R>(acc, rows.narrow(block) + 4 * inBlock, rows.stride(), w, lines);
    } else {
      multiplyDeep<R, kMode == Mode::deepInt4>(acc, rows.narrow(block) + 4 * inBlock, rows.stride(), w, lines);
    }
    line += lines;
  }
}

// Vectors of 8 channels that a tile gives: a whole panel, or half of one in wide mode.
template <Mode kMode>
constexpr int kVectors = kMode == Mode::wide ? 1 : 2;

// Channels 8 · v … of one row, from the accumulators.
template <Mode kMode>
FAULTLINE_INLINE __m256i channels(const __m256i (&acc)[2], int v) {
  if constexpr (kMode != Mode::wide) return acc[v];
  return _mm256_permute4x64_epi64(_mm256_hadd_epi32(acc[0], acc[1]), 0b11011000);
}

// Residual, clip and store of up to 8 channels of one row: y already holds the dequantized product plus bias.
FAULTLINE_INLINE void finish(const GemmCall& call, __m256 y, int64_t index, int64_t count) {
  const Epilogue& e = call.epilogue;
  const __m256i mask = headMask(count < kVector ? count : kVector);
  if (e.residual) y = _mm256_add_ps(y, _mm256_maskload_ps(e.residual + index, mask));
  y = _mm256_max_ps(_mm256_set1_ps(e.clipMin), y);
  y = _mm256_min_ps(_mm256_set1_ps(e.clipMax), y);
  if (count >= kVector) {
    _mm256_storeu_ps(call.out + index, y);
  } else {
    _mm256_maskstore_ps(call.out + index, mask, y);
  }
}

FAULTLINE_INLINE __m256 biasOf(const GemmCall& call, int64_t channel, int64_t count) {
  const float* bias = call.epilogue.bias;
  return bias ? _mm256_maskload_ps(bias + channel, headMask(count < kVector ? count : kVector)) : _mm256_setzero_ps();
}

// R rows × the channels from `first` on, one scale a channel.
template <int R, Mode kMode>
void multiply(const GemmCall& call, Rows& rows, const uint8_t* b, int64_t first) {
  const PackedMatrix& w = *call.weights;
  __m256i acc[R][2];
  clear<R>(acc);
  for (int64_t run = call.runs.begin; run < call.runs.end; run += call.runs.step) {
    const int64_t line = run * kLinesPerBlock;
    multiplyLines<R, kMode>(acc, rows, b, line, line + call.runs.groups);
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors<kMode>; ++v) {
    const int64_t channel = first + v * kVector;
    const int64_t count = w.n - channel;
    if (count <= 0) break;
    const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(call.sums + channel));
    const __m256 scales = _mm256_load_ps(w.scales.data() + channel);
    const __m256 bias = biasOf(call, channel, count);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const int64_t row = rows.first() + r;
      const int64_t index = row * call.ld + channel;
      const __m256i zero = _mm256_mullo_epi32(sums, _mm256_set1_epi32(call.zeroPoint[row]));
      const __m256i c = _mm256_sub_epi32(channels<kMode>(acc[r], v), zero);
      if (!call.acc) {
        const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(call.rowScale[row]), scales);
        finish(call, _mm256_fmadd_ps(_mm256_cvtepi32_ps(c), scale, bias), index, count);
      } else if (count >= kVector) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(call.acc + index), c);
      } else {
        _mm256_maskstore_epi32(call.acc + index, headMask(count), c);
      }
    }
  }
}

// Scales by group of K: each group's sum is corrected by one vpmaddwd with (zeroPoint, 128 · zeroPoint) and added in
// fp32. Groups start on an even line.
template <int R, Mode kMode>
void multiplyGrouped(const GemmCall& call, Rows& rows, const uint8_t* b, int64_t first) {
  const PackedMatrix& w = *call.weights;
  const int64_t linesPerGroup = w.blockSize / 4;
  __m256 total[R][kVectors<kMode>];
#pragma GCC unroll 8
  for (auto& row : total) {
#pragma GCC unroll 8
    for (__m256& t : row) t = _mm256_setzero_ps();
  }
  for (int64_t g = 0; g < w.scaleGroups; ++g) {
    __m256i acc[R][2];
    clear<R>(acc);
    const int64_t end = (g + 1) * linesPerGroup < w.kGroups ? (g + 1) * linesPerGroup : w.kGroups;
    multiplyLines<R, kMode>(acc, rows, b, g * linesPerGroup, end);
    const int64_t at = g * w.paddedN() + first;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const uint32_t zero = static_cast<uint32_t>(call.zeroPoint[rows.first() + r]);
      const __m256i zeroPair = _mm256_set1_epi32(static_cast<int32_t>(zero | (zero * 128) << 16));
#pragma GCC unroll 8
      for (int v = 0; v < kVectors<kMode>; ++v) {
        const __m256i zeros = _mm256_madd_epi16(load(w.sumPairs.data() + at + v * kVector), zeroPair);
        const __m256i c = _mm256_add_epi32(channels<kMode>(acc[r], v), zeros);
        total[r][v] =
            _mm256_fmadd_ps(_mm256_cvtepi32_ps(c), _mm256_load_ps(w.scales.data() + at + v * kVector), total[r][v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kVectors<kMode>; ++v) {
    const int64_t channel = first + v * kVector;
    const int64_t count = w.n - channel;
    if (count <= 0) break;
    const __m256 bias = biasOf(call, channel, count);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const int64_t row = rows.first() + r;
      const __m256 y = _mm256_fmadd_ps(total[r][v], _mm256_set1_ps(call.rowScale[row]), bias);
      finish(call, y, row * call.ld + channel, count);
    }
  }
}

// R rows × the panels [begin, end).
template <int R, Mode kMode>
void runTile(const GemmCall& call, int64_t row, int64_t begin, int64_t end) {
  const PackedMatrix& w = *call.weights;
  Rows rows(call, row, R);
  for (int64_t channel = begin * kPanel; channel < end * kPanel && channel < w.n;
       channel += kVectors<kMode> * kVector) {
    // A line holds 4 k of a channel: half a panel starts half a line later.
    const uint8_t* b = w.panel(channel / kPanel) + channel % kPanel * 4;
    w.blockSize > 0 ? multiplyGrouped<R, kMode>(call, rows, b, channel) : multiply<R, kMode>(call, rows, b, channel);
  }
}

template <Mode kMode>
void runRows(const GemmCall& call, int64_t begin, int64_t end) {
  constexpr bool kDeep = kMode == Mode::deep || kMode == Mode::deepInt4;
  constexpr int64_t kMost = kDeep ? kMaxDeepRows : kMaxRows;
  for (int64_t row = 0; row < call.rows;) {
    // Even shares of what is left of the row block: 16 is 6 + 5 + 5, or 4 + 4 + 4 + 4.
    const int64_t inBlock = kRowBlock - row % kRowBlock;
    const int64_t left = call.rows - row < inBlock ? call.rows - row : inBlock;
    const int64_t rows = ceilDiv(left, ceilDiv(left, kMost));
    switch (rows) {
      case 1:
        runTile<1, kMode>(call, row, begin, end);
        break;
      case 2:
        runTile<2, kMode>(call, row, begin, end);
        break;
      case 3:
        runTile<3, kMode>(call, row, begin, end);
        break;
      case 4:
        runTile<4, kMode>(call, row, begin, end);
        break;
      default:
        if constexpr (!kDeep) {
          rows == 5 ? runTile<5, kMode>(call, row, begin, end) : runTile<6, kMode>(call, row, begin, end);
        }
    }
    row += rows;
  }
}

// All rows pass over as many panels as stay in the second-level cache; wide mode widens its rows once for them.
template <Mode kMode>
void runPanels(const GemmCall& call) {
  constexpr int64_t kPanelBytes = 128 * 1024;
  const int64_t bytes = call.weights->kBlocks * call.weights->blockBytes();
  const int64_t fitting = kMode == Mode::wide ? kPanelBytes / (bytes + 1) : 1;
  const int64_t step = fitting > 1 ? fitting : 1;
  for (int64_t begin = call.panelBegin; begin < call.panelEnd; begin += step) {
    runRows<kMode>(call, begin, begin + step < call.panelEnd ? begin + step : call.panelEnd);
  }
}

void gemm_u8s8_s32_avx2(const GemmCall& call) {
  const PackedMatrix& w = *call.weights;
  if (w.storage == WeightStorage::int4) return runPanels<Mode::deepInt4>(call);
  if (w.magnitude <= kDeepLimit) return runPanels<Mode::deep>(call);
  if (w.magnitude <= kNarrowLimit) return runPanels<Mode::narrow>(call);
  runPanels<Mode::wide>(call);
}

constexpr KernelTable kTable = {Isa::avx2,     4, scanRange_f32_avx2, quantizeRow_f32_u8_avx2, gemm_u8s8_s32_avx2,
                                &avx2Depthwise};

}  // namespace

const KernelTable* avx2Kernels() { return &kTable; }

}  // namespace faultline
