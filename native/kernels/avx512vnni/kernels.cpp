// AVX-512 VNNI. vpdpbusd multiplies 64 u8 activations with 64 s8 weights and adds groups of four into 16 int32 lanes,
// without intermediate saturation. Two a cycle on Intel's ports 0 and 5, one a cycle on Zen 4.
//
// A micro-kernel holds R rows × P panels of 16 channels: R · P accumulators, P weight registers, one broadcast
// activation (4 consecutive k of one row; the load ports do it for free). R = 8, P = 2 needs 10 loads for 16
// vpdpbusd, so the multipliers are the limit. It goes down all rows of a call, so that what a panel needs for its
// outputs is loaded once; with a short K the way from accumulator to output costs as much as the product. With few rows
// the panels grow instead, to keep enough sums in flight to cover the latency of 4–5 cycles.
#include "kernels/avx512_epilogue.h"
#include "kernels/avx512_quotient.h"

namespace faultline {
namespace {

// ---- Range and quantization -----------------------------------------------------------------------------------------

bool scanRange_f32_avx512vnni(const float* x, int64_t n, float* min, float* max) {
  const __m512 zero = _mm512_setzero_ps();
  constexpr int kChains = 4;                         // covers the latency of 4 cycles
  __m512 lo[kChains], hi[kChains], poison[kChains];  // x · 0 is NaN for NaN and infinity, which min and max would drop
#pragma GCC unroll 4
  for (int u = 0; u < kChains; ++u) {
    lo[u] = _mm512_set1_ps(*min);
    hi[u] = _mm512_set1_ps(*max);
    poison[u] = zero;
  }
  int64_t i = 0;
  for (; i + kChains * kVector <= n; i += kChains * kVector) {
#pragma GCC unroll 4
    for (int u = 0; u < kChains; ++u) {
      __m512 v = _mm512_loadu_ps(x + i + u * kVector);
      asm("" : "+v"(v));  // one load: the compiler would rather fold three, which unaligned data makes six
      lo[u] = _mm512_min_ps(lo[u], v);
      hi[u] = _mm512_max_ps(hi[u], v);
      poison[u] = _mm512_fmadd_ps(v, zero, poison[u]);
    }
  }
  for (; i < n; i += kVector) {
    const __mmask16 head = headMask(n - i);
    const __m512 v = _mm512_maskz_loadu_ps(head, x + i);
    lo[0] = _mm512_mask_min_ps(lo[0], head, lo[0], v);
    hi[0] = _mm512_mask_max_ps(hi[0], head, hi[0], v);
    poison[0] = _mm512_fmadd_ps(v, zero, poison[0]);
  }
  *min = _mm512_reduce_min_ps(_mm512_min_ps(_mm512_min_ps(lo[0], lo[1]), _mm512_min_ps(lo[2], lo[3])));
  *max = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(hi[0], hi[1]), _mm512_max_ps(hi[2], hi[3])));
  const __m512 sum = _mm512_add_ps(_mm512_add_ps(poison[0], poison[1]), _mm512_add_ps(poison[2], poison[3]));
  return _mm512_cmp_ps_mask(sum, zero, _CMP_NEQ_UQ) == 0;
}

template <bool kDivide>
FAULTLINE_INLINE void quantizeRowAs(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                                    int64_t blockStride) {
  const __m512 scale = _mm512_set1_ps(params.scale);
  const __m512 inverse = _mm512_set1_ps(params.inverse);
  const __m512i zeroPoint = _mm512_set1_epi16(static_cast<int16_t>(params.zeroPoint));
  const __m512i qmax = _mm512_set1_epi8(static_cast<char>(params.qmax));
  // The two packs interleave 128-bit lanes of the four sources; this puts the 16 dwords back in order.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const auto codes = [&](const __m512(&v)[4]) {
    __m512i c[4];
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) c[u] = roundedQuotient<kDivide>(v[u], scale, inverse);
    // What lies beyond 16 bits saturates at every step, and ends at 0 or qmax all the same.
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(c[0], c[1]), zeroPoint);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(c[2], c[3]), zeroPoint);
    return _mm512_min_epu8(_mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)), qmax);
  };
  __m512 v[4];
  for (; n >= kBlockK; n -= kBlockK, x += kBlockK, out += blockStride) {
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) v[u] = _mm512_loadu_ps(x + u * kVector);
    _mm512_storeu_si512(out, codes(v));
  }
  if (n > 0) {
    for (int u = 0; u < 4; ++u) {
      const int64_t left = n - u * kVector;
      v[u] = _mm512_maskz_loadu_ps(headMask(left > 0 ? left : 0), x + u * kVector);
    }
    _mm512_mask_storeu_epi8(out, (1ull << n) - 1, codes(v));
  }
}

void quantizeRow_f32_u8_avx512vnni(const float* x, int64_t n, const AffineParams& params, uint8_t* out,
                                   int64_t blockStride) {
  if (params.inverse == 0.0f) {
    quantizeRowAs<true>(x, n, params, out, blockStride);
  } else {
    quantizeRowAs<false>(x, n, params, out, blockStride);
  }
}

// ---- Product --------------------------------------------------------------------------------------------------------

FAULTLINE_INLINE __m512i broadcast4(const uint8_t* a) {
  int32_t four;
  __builtin_memcpy(&four, a, sizeof four);
  return _mm512_set1_epi32(four);
}

// Rows kFirst to kLast of a tile of R, here and below.
template <int R, int P, int kFirst, int kLast>
FAULTLINE_INLINE void multiplyLine(__m512i (&acc)[R][P], const uint8_t* a, int64_t stride, const __m512i (&b)[P]) {
#pragma GCC unroll 16
  for (int r = kFirst; r <= kLast; ++r) {
    const __m512i x = broadcast4(a + r * stride);
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) addProducts(acc[r][p], x, b[p]);
  }
}

// Adds `lines` lines (4 k each) of one k-block, from line `first`. int4 lines come in pairs: low nibble, high nibble.
template <int R, int P, bool kInt4, int kFirst = 0, int kLast = R - 1>
FAULTLINE_INLINE void multiplyLines(__m512i (&acc)[R][P], const uint8_t* a, int64_t stride, const uint8_t* b,
                                    int64_t panelBytes, int64_t lines) {
  __m512i w[P];
  if constexpr (!kInt4) {
    for (const uint8_t* const end = b + lines * kLine; b != end; b += kLine, a += 4) {
      // Keeps the compiler from inventing a pointer for every row, of which it then runs out.
      asm("" : "+r"(a), "+r"(b));
      for (int p = 0; p < P; ++p) w[p] = _mm512_load_si512(b + p * panelBytes);
      multiplyLine<R, P, kFirst, kLast>(acc, a, stride, w);
    }
  } else {
    const __m512i top = _mm512_set1_epi8(static_cast<char>(0xf0));
#pragma GCC unroll 2
    for (int64_t line = 0; line < lines; line += 2) {
      __m512i pair[P];
      for (int p = 0; p < P; ++p) {
        pair[p] = _mm512_load_si512(b + p * panelBytes + line / 2 * kLine);
        w[p] = _mm512_and_si512(_mm512_slli_epi16(pair[p], 4), top);
      }
      multiplyLine<R, P, kFirst, kLast>(acc, a + 4 * line, stride, w);
      if (line + 1 == lines) break;
      for (int p = 0; p < P; ++p) w[p] = _mm512_and_si512(pair[p], top);
      multiplyLine<R, P, kFirst, kLast>(acc, a + 4 * (line + 1), stride, w);
    }
  }
}

// What P panels need for all rows.
template <int P>
struct StripTerms {
  __mmask16 mask[P];
  __m512i sums[P];
  __m512 scales[P];
  __m512 bias[P];
  // With one set of parameters for all rows: the accumulators' first value, −zeroPoint · sums, and rowScale · scales.
  __m512i start[P];
  __m512 rowScales[P];

  template <bool kInt4, bool kSame>
  FAULTLINE_INLINE void load(const GemmCall& call, int64_t panel) {
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      const PanelTerms terms(call, panel + p);
      mask[p] = terms.mask;
      sums[p] = terms.sums;
      scales[p] = terms.scales;
      bias[p] = terms.bias;
      start[p] = _mm512_setzero_si512();
      if constexpr (kSame) {
        start[p] = _mm512_sub_epi32(start[p], kInt4 ? _mm512_slli_epi32(terms.zero, 4) : terms.zero);
        rowScales[p] = terms.rowScales;
      }
    }
  }
};

FAULTLINE_INLINE void prefetchOutput(const GemmCall& call, int64_t index) {
  const void* base = call.out ? static_cast<const void*>(call.out) : call.acc;
  __builtin_prefetch(static_cast<const float*>(base) + index, 1);
}

// Outputs of R rows × P panels from their corrected accumulators.
template <int R, int P, bool kSame>
FAULTLINE_INLINE void storeFloats(const GemmCall& call, const StripTerms<P>& terms, const __m512i (&c)[R][P],
                                  int64_t row, int64_t index) {
  const Epilogue& e = call.epilogue;
  __m512 y[R][P];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      const __m512 scales =
          kSame ? terms.rowScales[p] : _mm512_mul_ps(_mm512_set1_ps(call.rowScale[row + r]), terms.scales[p]);
      y[r][p] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(c[r][p]), scales, terms.bias[p]);
    }
  }
  // Each step for all at once, so that a step that is not requested costs one branch.
  const auto each = [&](auto&& step) __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) step(y[r][p], index + r * call.ld + p * kPanel, terms.mask[p]);
    }
  };
  if (e.residual) {
    each([&](__m512 & v, int64_t at, __mmask16 mask)
             __attribute__((always_inline)) { v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, e.residual + at)); });
  }
  if (clips(e)) {
    const __m512 lo = _mm512_set1_ps(e.clipMin), hi = _mm512_set1_ps(e.clipMax);
    each([&](__m512 & v, int64_t, __mmask16) __attribute__((always_inline)) { v = clip(v, lo, hi); });
  }
  each([&](__m512 & v, int64_t at, __mmask16 mask)
           __attribute__((always_inline)) { _mm512_mask_storeu_ps(call.out + at, mask, v); });
}

// From the accumulators of R rows × P panels to outputs.
template <int R, int P, bool kInt4, bool kSame>
FAULTLINE_INLINE void storeTile(const GemmCall& call, const StripTerms<P>& terms, __m512i (&acc)[R][P], int64_t row,
                                int64_t index) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const __m512i zeroPoint = _mm512_set1_epi32(call.zeroPoint[row + r]);
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      acc[r][p] = trueSum<kInt4>(acc[r][p]);
      if constexpr (!kSame) acc[r][p] = _mm512_sub_epi32(acc[r][p], _mm512_mullo_epi32(terms.sums[p], zeroPoint));
    }
  }
  if (call.out) {
    storeFloats<R, P, kSame>(call, terms, acc, row, index);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      _mm512_mask_storeu_epi32(call.acc + index + r * call.ld + p * kPanel, terms.mask[p], acc[r][p]);
    }
  }
}

// One scale a channel: P panels against the rows [row, end), R at a time, all of K into one accumulator each.
template <int R, int P, bool kInt4, bool kSame>
void multiplyStrip(const GemmCall& shared, int64_t panel, int64_t row, int64_t end) {
  const GemmCall call = shared;  // for all the compiler knows, vector stores might change the other
  const PackedMatrix& w = *call.weights;
  const int64_t blockBytes = kInt4 ? kInt4BlockBytes : kInt8BlockBytes;
  const int64_t panelBytes = w.kBlocks * blockBytes;
  const uint8_t* const weights = w.panel(panel);
  const int64_t kBlocks = w.kBlocks;
  const KRuns runs = call.runs;
  StripTerms<P> terms;
  terms.template load<kInt4, kSame>(call, panel);
  for (; row < end; row += R) {
    const uint8_t* const* blocks = call.a + row / kRowBlock * kBlocks;
    const int64_t rowOffset = row % kRowBlock * call.aRowStride;
    const int64_t index = row * call.ld + panel * kPanel;
    __m512i acc[R][P];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        acc[r][p] = terms.start[p];
        // The next tile's outputs: a strip writes a part of every row, which hardware does not foresee.
        prefetchOutput(call, index + (R + r) * call.ld + p * kPanel);
      }
    }
    // Four panels' terms leave too few registers to the loop: they wait in memory.
    if constexpr (P > 2) asm("" : "+m"(terms));
    for (int64_t block = runs.begin; block < runs.end; block += runs.step) {
      int64_t lines = runs.groups;
      for (int64_t b = block; lines > 0; ++b, lines -= kLinesPerBlock) {
        multiplyLines<R, P, kInt4>(acc, blocks[b] + rowOffset, call.aRowStride, weights + b * blockBytes, panelBytes,
                                   lines < kLinesPerBlock ? lines : kLinesPerBlock);
      }
    }
    storeTile<R, P, kInt4, kSame>(call, terms, acc, row, index);
  }
}

// R rows from `row` on × P panels, without the first row's first blocks or the last row's last, where these are the
// call's first and last.
template <int R, int P, bool kInt4>
void multiplyEdges(const GemmCall& shared, int64_t panel, int64_t row) {
  const GemmCall call = shared;
  const PackedMatrix& w = *call.weights;
  const int64_t blockBytes = kInt4 ? kInt4BlockBytes : kInt8BlockBytes;
  const int64_t panelBytes = w.kBlocks * blockBytes;
  const uint8_t* const weights = w.panel(panel);
  const KRuns runs = call.runs;
  const int64_t index = row * call.ld + panel * kPanel;
  StripTerms<P> terms;
  terms.template load<kInt4, true>(call, panel);
  __m512i acc[R][P];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) {
      acc[r][p] = terms.start[p];
      prefetchOutput(call, index + (R + r) * call.ld + p * kPanel);
    }
  }
  const auto start = [&](int r, const int32_t* sums) __attribute__((always_inline)) {
    const __m512i zeroPoint = _mm512_set1_epi32(-call.zeroPoint[0] * (kInt4 ? 16 : 1));
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) {
      acc[r][p] = _mm512_mullo_epi32(_mm512_loadu_si512(sums + (panel + p) * kPanel), zeroPoint);
    }
  };
  const int64_t blocks = runs.groups / kLinesPerBlock;
  int64_t begin = 0, end = blocks;  // of a run: what all rows are multiplied with
  if (row == 0 && call.firstRow.blocks > 0) {
    start(0, call.firstRow.sums);
    begin = call.firstRow.blocks;
  }
  if (row + R == call.rows && call.lastRow.blocks > 0) {
    start(R - 1, call.lastRow.sums);
    end -= call.lastRow.blocks;
  }
  for (int64_t run = runs.begin; run < runs.end; run += runs.step) {
    const uint8_t* b = weights + run * blockBytes;
    const uint8_t* const* a = call.a + run;
    const int64_t offset = row * call.aRowStride;
    int64_t i = 0;
    for (; i < begin; ++i, b += blockBytes) {
      multiplyLines<R, P, kInt4, 1, R - 1>(acc, a[i] + offset, call.aRowStride, b, panelBytes, kLinesPerBlock);
    }
    for (; i < end; ++i, b += blockBytes) {
      multiplyLines<R, P, kInt4>(acc, a[i] + offset, call.aRowStride, b, panelBytes, kLinesPerBlock);
    }
    for (; i < blocks; ++i, b += blockBytes) {
      multiplyLines<R, P, kInt4, 0, R - 2>(acc, a[i] + offset, call.aRowStride, b, panelBytes, kLinesPerBlock);
    }
  }
  storeTile<R, P, kInt4, true>(call, terms, acc, row, index);
}

// Scales by group of K: each group's sum is corrected by one vpdpwssd with (zeroPoint, 128 · zeroPoint) and added in
// fp32. Groups are 16, 32 or a multiple of 64 long, so that they start on an even line and do not straddle blocks
// unless they cover them.
template <int R, int P, bool kInt4>
void multiplyGrouped(const GemmCall& call, int64_t panel, int64_t row) {
  const PackedMatrix& w = *call.weights;
  const int64_t blockBytes = kInt4 ? kInt4BlockBytes : kInt8BlockBytes;
  const int64_t lineBytes = blockBytes / kLinesPerBlock;
  const int64_t panelBytes = w.kBlocks * blockBytes;
  const uint8_t* b = w.panel(panel);
  const uint8_t* const* blocks = call.a + row / kRowBlock * w.kBlocks;
  const int64_t rowOffset = row % kRowBlock * call.aRowStride;
  const int64_t linesPerGroup = w.blockSize / 4;
  __m512 total[R][P];
  for (auto& row : total) {
    for (__m512& t : row) t = _mm512_setzero_ps();
  }
  for (int64_t g = 0; g < w.scaleGroups; ++g) {
    __m512i acc[R][P];
    for (auto& row : acc) {
      for (__m512i& a : row) a = _mm512_setzero_si512();
    }
    const int64_t end = (g + 1) * linesPerGroup < w.kGroups ? (g + 1) * linesPerGroup : w.kGroups;
    for (int64_t line = g * linesPerGroup; line < end;) {
      const int64_t block = line / kLinesPerBlock;
      const int64_t inBlock = line % kLinesPerBlock;
      const int64_t blockEnd = (block + 1) * kLinesPerBlock;
      const int64_t lines = (end < blockEnd ? end : blockEnd) - line;
      multiplyLines<R, P, kInt4>(acc, blocks[block] + rowOffset + 4 * inBlock, call.aRowStride,
                                 b + block * blockBytes + inBlock * lineBytes, panelBytes, lines);
      line += lines;
    }
    const int64_t at = g * w.paddedN() + panel * kPanel;
    for (int r = 0; r < R; ++r) {
      const __m512i zeroPoints = zeroPair(call.zeroPoint[row + r]);
      for (int p = 0; p < P; ++p) {
        total[r][p] = addGroup<kInt4>(w, at + p * kPanel, acc[r][p], zeroPoints, total[r][p]);
      }
    }
  }
  for (int p = 0; p < P; ++p) {
    const PanelTerms terms(call, panel + p);
    for (int r = 0; r < R; ++r) storeGrouped(call, terms, row + r, total[r][p]);
  }
}

template <int R, int P>
void run(const GemmCall& call, int64_t panel, int64_t row, int64_t end) {
  const bool int4 = call.weights->storage == WeightStorage::int4;
  if (call.weights->blockSize > 0) {
    for (; row < end; row += R) {
      int4 ? multiplyGrouped<R, P, true>(call, panel, row) : multiplyGrouped<R, P, false>(call, panel, row);
    }
  } else if (call.sameParams) {
    int4 ? multiplyStrip<R, P, true, true>(call, panel, row, end)
         : multiplyStrip<R, P, false, true>(call, panel, row, end);
  } else {
    int4 ? multiplyStrip<R, P, true, false>(call, panel, row, end)
         : multiplyStrip<R, P, false, false>(call, panel, row, end);
  }
}

// All rows of the call against P panels: R at a time, then those left together.
template <int R, int P>
void runRows(const GemmCall& call, int64_t panel, int64_t row = 0) {
  // A tile stays inside a row block: R divides it, or this is the one tile of what is left.
  const int64_t end = row + (call.rows - row) / R * R;
  if (row < end) run<R, P>(call, panel, row, end);
  if constexpr (R > 1) {
    if (end < call.rows) runRows<R - 1, P>(call, panel, end);
  }
}

// Rows of a tile by multiplyEdges. The rows lie in one line, so tiles need not keep to row blocks: they are even.
constexpr int64_t kEdgeRows = 8;

template <int P, int R = kEdgeRows>
void runEdges(const GemmCall& call, int64_t panel, int64_t row, int64_t rows) {
  if constexpr (R > 2) {
    if (rows < R) return runEdges<P, R - 1>(call, panel, row, rows);
  }
  call.weights->storage == WeightStorage::int4 ? multiplyEdges<R, P, true>(call, panel, row)
                                               : multiplyEdges<R, P, false>(call, panel, row);
}

void gemmEdges(const GemmCall& call) {
  const int64_t tiles = ceilDiv(call.rows, kEdgeRows);
  for (int64_t panel = call.panelBegin; panel < call.panelEnd; panel += 2) {
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t row = call.rows * t / tiles, rows = call.rows * (t + 1) / tiles - row;
      panel + 1 < call.panelEnd ? runEdges<2>(call, panel, row, rows) : runEdges<1>(call, panel, row, rows);
    }
  }
}

void gemm_u8s8_s32_avx512vnni(const GemmCall& call) {
  if (call.firstRow.blocks > 0 || call.lastRow.blocks > 0) return gemmEdges(call);
  int64_t panel = call.panelBegin;
  const auto left = [&] { return call.panelEnd - panel; };
  if (call.rows <= 4) {
    for (; left() >= 4; panel += 4) runRows<4, 4>(call, panel);
  }
  if (call.weights->blockSize > 0) {
    // A tile holds its totals and the sums of a group in registers: twice as many as otherwise.
    for (; left() > 0; ++panel) runRows<8, 1>(call, panel);
    return;
  }
  // Two panels of a long K fill half of the first-level cache; three would push each other out.
  for (; left() >= 2; panel += 2) runRows<8, 2>(call, panel);
  if (left() > 0) runRows<8, 1>(call, panel);
}

constexpr KernelTable kTable = {Isa::avx512vnni,          4,
                                scanRange_f32_avx512vnni, quantizeRow_f32_u8_avx512vnni,
                                gemm_u8s8_s32_avx512vnni, &avx512vnniDepthwise};

}  // namespace

const KernelTable* avx512vnniKernels() { return &kTable; }

}  // namespace faultline
