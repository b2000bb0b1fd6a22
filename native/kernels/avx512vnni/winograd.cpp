// Winograd's transforms and products (kernels/winograd_kernels.h) with AVX-512: 16 channels a register.
//
// A product holds 8 rows × 32 or 16 rows × 16 channels in 16 registers: one fused multiply-add a cycle hides its own
// latency of 4, and a row costs one broadcast for each of them at most.
#include <immintrin.h>

#include "kernels/winograd_kernels.h"

namespace faultline {
namespace {

#define FAULTLINE_INLINE inline __attribute__((always_inline))

using V = __m512;
constexpr int kSide = 6;  // of a transformed tile
constexpr int kTaps = 9;

FAULTLINE_INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
FAULTLINE_INLINE void store(float* p, V v) { _mm512_storeu_ps(p, v); }
FAULTLINE_INLINE V set(float v) { return _mm512_set1_ps(v); }
FAULTLINE_INLINE V add(V a, V b) { return _mm512_add_ps(a, b); }
FAULTLINE_INLINE V sub(V a, V b) { return _mm512_sub_ps(a, b); }
FAULTLINE_INLINE V mul(float a, V b) { return _mm512_mul_ps(set(a), b); }
FAULTLINE_INLINE V plus(float a, V b, V c) { return _mm512_fmadd_ps(set(a), b, c); }    // c + a · b
FAULTLINE_INLINE V minus(float a, V b, V c) { return _mm512_fnmadd_ps(set(a), b, c); }  // c − a · b

// Each transform is of one line, `step` apart in the array: two-dimensional ones take columns, then rows.
FAULTLINE_INLINE void inputLine(const V* d, int step, V* t, int to) {
  const V even = minus(4, d[2 * step], d[4 * step]), odd = minus(4, d[step], d[3 * step]);
  const V sum = sub(d[4 * step], d[2 * step]), slope = sub(d[3 * step], d[step]);
  t[0] = plus(4, d[0], minus(5, d[2 * step], d[4 * step]));
  t[to] = add(even, odd);
  t[2 * to] = sub(even, odd);
  t[3 * to] = plus(2, slope, sum);
  t[4 * to] = minus(2, slope, sum);
  t[5 * to] = plus(4, d[step], minus(5, d[3 * step], d[5 * step]));
}

FAULTLINE_INLINE void outputLine(const V* m, int step, V* y, int to) {
  const V s1 = add(m[step], m[2 * step]), s2 = sub(m[step], m[2 * step]);
  const V s3 = add(m[3 * step], m[4 * step]), s4 = sub(m[3 * step], m[4 * step]);
  y[0] = add(add(m[0], s1), s3);
  y[to] = plus(2, s4, s2);
  y[2 * to] = plus(4, s3, s1);
  y[3 * to] = add(plus(8, s4, s2), m[5 * step]);
}

FAULTLINE_INLINE void gradientLine(const V* y, int step, V* z, int to) {
  const V even = add(y[0], y[2 * step]), odd = add(y[step], y[3 * step]);
  const V even2 = plus(4, y[2 * step], y[0]), odd2 = plus(4, y[3 * step], y[step]);
  z[0] = y[0];
  z[to] = add(even, odd);
  z[2 * to] = sub(even, odd);
  z[3 * to] = plus(2, odd2, even2);
  z[4 * to] = minus(2, odd2, even2);
  z[5 * to] = y[3 * step];
}

FAULTLINE_INLINE void weightLine(const V* g, int step, V* u, int to) {
  const V even = add(g[0], g[2 * step]), middle = mul(1.f / 12, g[step]);
  const V ends = plus(1.f / 6, g[2 * step], mul(1.f / 24, g[0]));
  u[0] = mul(1.f / 4, g[0]);
  u[to] = mul(-1.f / 6, add(even, g[step]));
  u[2 * to] = mul(-1.f / 6, sub(even, g[step]));
  u[3 * to] = add(ends, middle);
  u[4 * to] = sub(ends, middle);
  u[5 * to] = g[2 * step];
}

FAULTLINE_INLINE void weightGradientLine(const V* u, int step, V* g, int to) {
  const V s1 = add(u[step], u[2 * step]), s2 = sub(u[2 * step], u[step]);
  const V s3 = add(u[3 * step], u[4 * step]), s4 = sub(u[3 * step], u[4 * step]);
  g[0] = plus(1.f / 4, u[0], plus(1.f / 24, s3, mul(-1.f / 6, s1)));
  g[to] = plus(1.f / 12, s4, mul(1.f / 6, s2));
  g[2 * to] = plus(1.f / 6, sub(s3, s1), u[5 * step]);
}

// The tile at hand: its image, and the pixel where it begins.
class Tiles {
 public:
  FAULTLINE_INLINE Tiles(const WinogradImages& g, int64_t first)
      : g_(g), column_(first % g.tilesW), row_(first / g.tilesW % g.tilesH), image_(first / (g.tilesW * g.tilesH)) {}
  FAULTLINE_INLINE void next() {
    if (++column_ < g_.tilesW) return;
    column_ = 0;
    if (++row_ < g_.tilesH) return;
    row_ = 0;
    ++image_;
  }
  FAULTLINE_INLINE int64_t top() const { return g_.top + row_ * kWinogradTile; }
  FAULTLINE_INLINE int64_t left() const { return g_.left + column_ * kWinogradTile; }
  // Elements before the tile's first pixel, which may lie outside of the image.
  FAULTLINE_INLINE int64_t offset() const { return ((image_ * g_.h + top()) * g_.w + left()) * g_.c; }
  // Whether row i of the tile is in the image.
  FAULTLINE_INLINE bool holdsRow(int64_t i) const { return top() + i >= 0 && top() + i < g_.h; }
  // For every column of the tile all lanes, or none where it is not in the image.
  template <int side>
  FAULTLINE_INLINE void columns(__mmask16* inside) const {
    for (int j = 0; j < side; ++j) inside[j] = left() + j >= 0 && left() + j < g_.w ? 0xffff : 0;
  }

 private:
  const WinogradImages& g_;
  int64_t column_, row_, image_;
};

// Where panels of a block keep channels c to c + 16 of tile t.
FAULTLINE_INLINE int64_t placeOf(const WinogradBlock& block, int64_t c, int64_t width, int64_t t) {
  return (c / width * block.rows + t) * width + c % width;
}

// side × side pixels from x on to 6×6 points, `step` apart.
template <int side, typename Line>
FAULTLINE_INLINE V transformTile(const float* x, const Tiles& tile, const __mmask16* inside, int64_t pixel, int64_t row,
                                 int64_t step, float* to, Line line) {
  V rows[side * kSide];
  V total = _mm512_setzero_ps();
  for (int i = 0; i < side; ++i, x += row) {
    V d[side];
    for (int j = 0; j < side; ++j) d[j] = _mm512_setzero_ps();
    if (tile.holdsRow(i)) {
      for (int j = 0; j < side; ++j) d[j] = _mm512_maskz_loadu_ps(inside[j], x + j * pixel);
    }
    for (int j = 0; j < side; ++j) total = add(total, d[j]);
    line(d, 1, rows + i * kSide, 1);
  }
  for (int j = 0; j < kSide; ++j) {
    V points[kSide];
    line(rows + j, kSide, points, 1);
    for (int i = 0; i < kSide; ++i) store(to + (i * kSide + j) * step, points[i]);
  }
  return total;
}

void input(const float* x, const WinogradImages& g, const WinogradBlock& block, float* v) {
  const int64_t width = winogradPanel(g.c);
  Tiles tile(g, block.first);
  for (int64_t t = 0; t < block.count; ++t, tile.next()) {
    __mmask16 inside[kSide];
    tile.columns<kSide>(inside);
    for (int64_t c = 0; c < g.c; c += kWinogradLanes) {
      transformTile<kSide>(x + tile.offset() + c, tile, inside, g.c, g.w * g.c, block.pointStride,
                           v + placeOf(block, c, width, t), inputLine);
    }
  }
}

void gradient(const float* dy, const WinogradImages& g, const WinogradBlock& block, float* v, float* sums) {
  const int64_t width = winogradPanel(g.c);
  Tiles tile(g, block.first);
  for (int64_t t = 0; t < block.count; ++t, tile.next()) {
    __mmask16 inside[kWinogradTile];
    tile.columns<kWinogradTile>(inside);
    for (int64_t c = 0; c < g.c; c += kWinogradLanes) {
      const V total = transformTile<kWinogradTile>(dy + tile.offset() + c, tile, inside, g.c, g.w * g.c,
                                                   block.pointStride, v + placeOf(block, c, width, t), gradientLine);
      if (sums) store(sums + c, add(load(sums + c), total));
    }
  }
}

void output(const float* m, const WinogradBlock& block, const float* bias, const WinogradImages& g, float* y) {
  constexpr int side = kWinogradTile;
  const int64_t width = winogradPanel(g.c);
  Tiles tile(g, block.first);
  for (int64_t t = 0; t < block.count; ++t, tile.next()) {
    __mmask16 inside[side];
    tile.columns<side>(inside);
    for (int64_t c = 0; c < g.c; c += kWinogradLanes) {
      const float* from = m + placeOf(block, c, width, t);
      const V shift = bias ? load(bias + c) : _mm512_setzero_ps();
      V columns[side * kSide];
      for (int j = 0; j < kSide; ++j) {
        V d[kSide];
        for (int i = 0; i < kSide; ++i) d[i] = load(from + (i * kSide + j) * block.pointStride);
        outputLine(d, 1, columns + j, kSide);
      }
      float* to = y + tile.offset() + c;
      for (int i = 0; i < side; ++i, to += g.w * g.c) {
        if (!tile.holdsRow(i)) continue;
        V line[side];
        outputLine(columns + i * kSide, 1, line, 1);
        for (int j = 0; j < side; ++j) _mm512_mask_storeu_ps(to + j * g.c, inside[j], add(line[j], shift));
      }
    }
  }
}

template <int rows, int vectors, int aRow>
FAULTLINE_INLINE void productRows(const WinogradProduct& p, const float* a, float* out) {
  constexpr int64_t width = vectors * kWinogradLanes;
  V sum[rows][vectors];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) {
      sum[r][v] = p.add ? load(out + r * width + v * kWinogradLanes) : _mm512_setzero_ps();
    }
  }
  const float* b = p.b;
  for (int64_t panel = 0; panel < p.panels; ++panel) {
    const float* x = a + panel * p.aPanel;
    for (int64_t d = 0; d < p.depth; ++d, x += p.aDepth, b += width) {
      V weights[vectors];
      for (int v = 0; v < vectors; ++v) weights[v] = load(b + v * kWinogradLanes);
      for (int r = 0; r < rows; ++r) {
        const V factor = set(x[r * aRow]);
        for (int v = 0; v < vectors; ++v) sum[r][v] = _mm512_fmadd_ps(factor, weights[v], sum[r][v]);
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < vectors; ++v) store(out + r * width + v * kWinogradLanes, sum[r][v]);
  }
}

template <int rows, int vectors, int aRow>
void productOf(const WinogradProduct& p) {
  for (int64_t r = 0; r < p.rows; r += rows) {
    productRows<rows, vectors, aRow>(p, p.a + r * aRow, p.out + r * vectors * kWinogradLanes);
  }
}

template <int rows, int vectors>
void productBy(const WinogradProduct& p) {
  if (p.aRow == 1) return productOf<rows, vectors, 1>(p);
  if (p.aRow == 16) return productOf<rows, vectors, 16>(p);
  productOf<rows, vectors, 32>(p);
}

void product(const WinogradProduct& p) { p.width == 32 ? productBy<8, 2>(p) : productBy<16, 1>(p); }

// 0, step, 2 · step, …
__m512i multiples(int64_t step) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(step)));
}

void weights(const float* w, int64_t depthStride, int64_t columnStride, bool turned, int64_t d, int64_t depth,
             int64_t columns, int64_t pointStride, float* u) {
  const int64_t width = winogradPanel(columns);
  const __m512i lanes = multiples(columnStride);
  for (int64_t n = 0; n < columns; n += kWinogradLanes) {
    const float* from = w + d * depthStride + n * columnStride;
    V taps[kTaps], lines[kSide * 3];
    for (int t = 0; t < kTaps; ++t) taps[t] = _mm512_i32gather_ps(lanes, from + (turned ? kTaps - 1 - t : t), 4);
    for (int j = 0; j < 3; ++j) weightLine(taps + j, 3, lines + j, 3);
    float* to = u + (n / width * depth + d) * width + n % width;
    for (int i = 0; i < kSide; ++i) {
      V line[kSide];
      weightLine(lines + i * 3, 1, line, 1);
      for (int j = 0; j < kSide; ++j) store(to + (i * kSide + j) * pointStride, line[j]);
    }
  }
}

void weightGradient(const float* const* u, int parts, int64_t row, int64_t rows, int64_t columns, int64_t pointStride,
                    float* dw) {
  const int64_t width = winogradPanel(columns);
  const __m512i lanes = multiples(kTaps);
  for (int64_t n = 0; n < columns; n += kWinogradLanes) {
    const int64_t at = (n / width * rows + row) * width + n % width;
    V lines[3 * kSide];
    for (int j = 0; j < kSide; ++j) {
      V d[kSide];
      for (int i = 0; i < kSide; ++i) {
        const int64_t place = at + (i * kSide + j) * pointStride;
        d[i] = load(u[0] + place);
        for (int part = 1; part < parts; ++part) d[i] = add(d[i], load(u[part] + place));
      }
      weightGradientLine(d, 1, lines + j, kSide);
    }
    float* to = dw + (row * columns + n) * kTaps;
    for (int i = 0; i < 3; ++i) {
      V taps[3];
      weightGradientLine(lines + i * kSide, 1, taps, 1);
      for (int j = 0; j < 3; ++j) _mm512_i32scatter_ps(to + i * 3 + j, lanes, taps[j], 4);
    }
  }
}

}  // namespace

const WinogradKernels avx512vnniWinograd = {input, gradient, output, product, weights, weightGradient};

}  // namespace faultline
