// Peak of the AMX unit: tdpbusd over full tiles (16 × 16 outputs, 64 deep) that stay where they are. Four result tiles
// are independent, enough for the unit's pipeline of one product every 16 cycles with a latency of 52.
//
// Tile configuration (64 bytes): palette at 0, bytes a row of tile t at 16 + 2·t, rows of tile t at 48 + t.
#include <immintrin.h>

#include "ceilings.h"

namespace faultline::bench {
namespace {

constexpr int kTiles = 8;
constexpr int kRows = 16;
constexpr int kRowBytes = 64;
constexpr double kProductsPerIteration = 4;

struct alignas(64) TileConfig {
  uint8_t bytes[64] = {};
};

void products(int64_t iterations) {
  TileConfig config;
  config.bytes[0] = 1;
  for (int t = 0; t < kTiles; ++t) {
    config.bytes[16 + 2 * t] = kRowBytes;
    config.bytes[48 + t] = kRows;
  }
  asm volatile("" ::: "memory");  // the configuration is in memory before it is loaded
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t i = 0; i < iterations; ++i) {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  _tile_release();
}

constexpr PeakLoop kPeaks[] = {{"amxInt8", kProductsPerIteration * 16 * 16 * 64 * 2.0, products}};

}  // namespace

PeakLoops amxPeaks() { return {kPeaks, sizeof kPeaks / sizeof kPeaks[0]}; }

}  // namespace faultline::bench
