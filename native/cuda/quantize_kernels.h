// Dynamic quantization in three kernels: ranges of units (rows, samples), their parameters, their codes.
//
// Codes are laid out as images that the products read in place: codes[unit][row][column][group][channel] u8, padded
// rows and columns holding the zero point. A matrix is an image of one pixel a row. Channels of a group are padded to
// groupBytes, a multiple of 16, with zeros (their weights are zero).
#pragma once

#include <cfloat>

#include "cuda/warp.h"

namespace faultline::cuda {

// Part of a unit's range.
struct PartialRange {
  float min;
  float max;
  int32_t finite;
};

inline constexpr int32_t kNoBadUnit = 0x7fffffff;
inline constexpr uint64_t kNoFault = ~uint64_t{0};

// Where kernels say that they met NaN or infinity: call << 32 | unit, the least of all. Nobody waits for it: it is read
// when results are.
struct FaultMark {
  uint64_t* word = nullptr;
  uint32_t call = 0;
};

// Block unit · slices + slice scans a part of a unit, the range containing zero.
struct RangeKernel {
  static constexpr int kThreads = 128;
  static constexpr int kSharedBytes = kThreads / kWarp * static_cast<int>(sizeof(PartialRange));
  struct Params {
    const float* x;  // [units, unitLength], units ldx elements apart
    int64_t ldx;
    int64_t unitLength;
    int64_t sliceLength;
    int32_t slices;
    PartialRange* partial;  // [units][slices]
  };

  static FAULTLINE_DEVICE void merge(PartialRange& r, float min, float max, int32_t finite) {
    r.min = min < r.min ? min : r.min;
    r.max = max > r.max ? max : r.max;
    r.finite &= finite;
  }
  static FAULTLINE_DEVICE void mergeWarp(PartialRange& r) {
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      const float min = shuffleXor(r.min, mask);
      const float max = shuffleXor(r.max, mask);
      merge(r, min, max, shuffleXor(r.finite, mask));
    }
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t unit = cta.x / p.slices;
    const int64_t slice = cta.x % p.slices;
    const float* x = p.x + unit * p.ldx;
    const int64_t begin = slice * p.sliceLength;
    const int64_t end = begin + p.sliceLength < p.unitLength ? begin + p.sliceLength : p.unitLength;
    PartialRange range = {0.0f, 0.0f, 1};
    for (int64_t i = begin + cta.thread; i < end; i += kThreads) {
      const float v = x[i];
      merge(range, v, v, v >= -FLT_MAX && v <= FLT_MAX);
    }
    mergeWarp(range);
    PartialRange* warps = reinterpret_cast<PartialRange*>(cta.shared);
    if (cta.lane() == 0) warps[cta.warp()] = range;
    syncBlock();
    if (cta.thread != 0) return;
    for (int w = 1; w < kThreads / kWarp; ++w) merge(range, warps[w].min, warps[w].max, warps[w].finite);
    p.partial[cta.x] = range;
  }
};

// One warp a parameter: merges its units' ranges and chooses as chooseAsymmetric (quant/affine.cpp) does.
struct ParamsKernel {
  static constexpr int kThreads = kWarp;
  static constexpr int kSharedBytes = 0;
  struct Params {
    const PartialRange* partial;  // [units][slices]
    int32_t slices;
    int64_t unitsPerParam;
    int32_t bits;
    const uint8_t* paramBits;  // [params] instead of bits, optional
    float* scale;              // [params]
    int32_t* zeroPoint;        // [params]
    FaultMark fault;
  };

  static FAULTLINE_DEVICE void choose(float min, float max, int32_t bits, float* scale, int32_t* zeroPoint) {
    const int32_t qmax = (1 << bits) - 1;
    const float limit = toFloat(qmax);
    float s = divide(subtract(max, min), limit);
    // max − min overflows fp32 for ranges wider than 3.4e38; the scale itself never does.
    if (!(s <= FLT_MAX)) s = static_cast<float>((static_cast<double>(max) - static_cast<double>(min)) / qmax);
    if (s == 0.0f) s = 1.0f;
    float zero = divide(-min, s);
    zero = zero < 0.0f ? 0.0f : zero;
    zero = zero > limit ? limit : zero;
    *scale = s;
    *zeroPoint = roundHalfEven(zero);
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t param = cta.x;
    const int64_t count = p.unitsPerParam * p.slices;
    PartialRange range = {0.0f, 0.0f, 1};
    int32_t bad = kNoBadUnit;
    for (int64_t i = cta.thread; i < count; i += kThreads) {
      const PartialRange& part = p.partial[param * count + i];
      RangeKernel::merge(range, part.min, part.max, part.finite);
      const int32_t unit = static_cast<int32_t>(param * p.unitsPerParam + i / p.slices);
      if (!part.finite && unit < bad) bad = unit;
    }
    RangeKernel::mergeWarp(range);
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      const int32_t other = shuffleXor(bad, mask);
      bad = other < bad ? other : bad;
    }
    if (cta.thread != 0) return;
    choose(range.min, range.max, p.paramBits ? p.paramBits[param] : p.bits, p.scale + param, p.zeroPoint + param);
    if (bad != kNoBadUnit && p.fault.word) {
      atomicLeast(p.fault.word, static_cast<uint64_t>(p.fault.call) << 32 | static_cast<uint32_t>(bad));
    }
  }
};

// One thread writes 16 codes of one group of one (padded) pixel.
struct QuantizeKernel {
  static constexpr int kThreads = 256;
  static constexpr bool kIndependent = true;
  static constexpr int kSharedBytes = 0;
  static constexpr int kCodes = 16;
  struct Params {
    const float* x;  // [units, h, w, groups · groupChannels], units ldx elements apart
    int64_t ldx;
    int64_t h, w;
    int64_t paddedH, paddedW;
    int64_t padTop, padLeft;
    int64_t groups, groupChannels, groupBytes;
    int64_t unitsPerParam;
    int32_t bits;
    const uint8_t* paramBits;
    const float* scale;
    const int32_t* zeroPoint;
    int64_t chunks;  // units · paddedH · paddedW · groups · groupBytes / 16
    uint8_t* codes;
  };

  static FAULTLINE_DEVICE uint32_t code(float v, float scale, int32_t zeroPoint, int32_t qmax) {
    int32_t q = roundHalfEven(divide(v, scale)) + zeroPoint;
    q = q < 0 ? 0 : q;
    return static_cast<uint32_t>(q > qmax ? qmax : q);
  }

  static FAULTLINE_DEVICE void run(const Params& p, const Cta& cta) {
    const int64_t chunk = static_cast<int64_t>(cta.x) * kThreads + cta.thread;
    if (chunk >= p.chunks) return;
    const int64_t groupChunks = p.groupBytes / kCodes;
    int64_t rest = chunk / groupChunks;
    const int64_t channel = chunk % groupChunks * kCodes;
    const int64_t group = rest % p.groups;
    rest /= p.groups;
    const int64_t column = rest % p.paddedW - p.padLeft;
    rest /= p.paddedW;
    const int64_t row = rest % p.paddedH - p.padTop;
    const int64_t unit = rest / p.paddedH;
    const int64_t param = unit / p.unitsPerParam;
    const float scale = p.scale[param];
    const int32_t zeroPoint = p.zeroPoint[param];
    const int32_t qmax = (1 << (p.paramBits ? p.paramBits[param] : p.bits)) - 1;
    const bool inside = row >= 0 && row < p.h && column >= 0 && column < p.w;
    const float* x = p.x + unit * p.ldx + ((row * p.w + column) * p.groups + group) * p.groupChannels;
    Bytes16 codes;
    for (int i = 0; i < kCodes / 4; ++i) {
      uint32_t word = 0;
      for (int j = 0; j < 4; ++j) {
        const int64_t c = channel + i * 4 + j;
        if (c >= p.groupChannels) break;
        word |= (inside ? code(x[c], scale, zeroPoint, qmax) : static_cast<uint32_t>(zeroPoint)) << (8 * j);
      }
      codes.word[i] = word;
    }
    *reinterpret_cast<Bytes16*>(p.codes + chunk * kCodes) = codes;
  }
};

}  // namespace faultline::cuda
