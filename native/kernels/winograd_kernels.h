// The arithmetic of Winograd's F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308) on channels-last float32 images: a tile of
// 4×4 results needs 36 products a pair of channels in place of 144.
//
//   forward           y  = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A         summed over input channels
//   gradient of w     dw = Gᵀ [Σ (A dy Aᵀ) ⊙ (Bᵀ x B)] G      summed over tiles
//
// The gradient of x is the forward of dy with w turned by 180° and its channels swapped. ⊙ are 36 products of matrices,
// one for each point of the 6×6.
//
// Transformed tiles lie in panels of W = 32 channels, or 16 where 32 does not divide them: [36][panels][rows][W].
#pragma once

#include <cstdint>

namespace faultline {

inline constexpr int kWinogradPoints = 36;
inline constexpr int64_t kWinogradTile = 4;
inline constexpr int64_t kWinogradLanes = 16;

// Channels of a panel.
constexpr int64_t winogradPanel(int64_t channels) { return channels % 32 == 0 ? 32 : kWinogradLanes; }

// Images [n, h, w, c] in tiles, from the left to the right, from the top to the bottom, image by image.
struct WinogradImages {
  int64_t h, w, c;
  int64_t tilesH, tilesW;  // of one image
  int64_t top, left;       // where the first tile begins: negative where the image is padded
};

// Tiles `first` to `first + count`, transformed: the element of point p, tile t and channel k lies at
// p · pointStride + (k / W · rows + t) · W + k % W.
struct WinogradBlock {
  int64_t first, count;
  int64_t rows;
  int64_t pointStride;
};

// out[r][lane] (+)= Σ_panel Σ_d a[panel · aPanel + r · aRow + d · aDepth] · b[(panel · depth + d) · width + lane],
// rows of out `width` apart. aRow: 1, 16 or 32.
struct WinogradProduct {
  const float* a;
  int64_t aRow, aDepth, aPanel;
  const float* b;
  float* out;
  int64_t rows;  // a multiple of 16
  int64_t panels, depth;
  int64_t width;  // 16 or 32
  bool add;
};

struct WinogradKernels {
  // Bᵀ x B of tiles of 6×6 pixels, 4 apart: zeros outside of the image.
  void (*input)(const float* x, const WinogradImages& images, const WinogradBlock& block, float* v);
  // A dy Aᵀ of tiles of 4×4. sums: [c], to which Σ dy is added, or null.
  void (*gradient)(const float* dy, const WinogradImages& images, const WinogradBlock& block, float* v, float* sums);
  // y = Aᵀ m A (+ bias [c]), as far as it is in the image; bias may be null.
  void (*output)(const float* m, const WinogradBlock& block, const float* bias, const WinogradImages& images, float* y);
  void (*product)(const WinogradProduct& product);
  // G w Gᵀ for depth row d: u[p · pointStride + (n / W · depth + d) · W + n % W] from the taps at
  // w[d · depthStride + n · columnStride + 0 … 8]. turned: by 180°.
  void (*weights)(const float* w, int64_t depthStride, int64_t columnStride, bool turned, int64_t d, int64_t depth,
                  int64_t columns, int64_t pointStride, float* u);
  // dw[(row · columns + n) · 9 + 0 … 8] = Gᵀ (Σ_part u[part]) G for a row of u: [36][columns / W][rows][W].
  void (*weightGradient)(const float* const* u, int parts, int64_t row, int64_t rows, int64_t columns,
                         int64_t pointStride, float* dw);
};

// kernels/avx512vnni/winograd.cpp: AVX-512F is all it needs.
extern const WinogradKernels avx512vnniWinograd;

}  // namespace faultline
