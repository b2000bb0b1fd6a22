#include "ops/quantize.h"

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <utility>
#include <vector>

#include "core/aligned.h"
#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "ops/schedule.h"
#include "quant/affine.h"

namespace faultline {
namespace {

// A stretch is scanned and then quantized: 16 Ki floats are still in the second-level cache the second time.
constexpr int64_t kPiece = 16 * 1024;

// Consecutive elements: with one parameter, or (perInner) with parameters that run along.
struct Segment {
  int64_t at;
  int64_t count;
  int64_t param;
};

// Calls fn(Segment) for the elements [begin, end), in order, none longer than kPiece.
template <typename Fn>
void forSegments(const ParamView& v, int64_t begin, int64_t end, Fn&& fn) {
  const int64_t perOuter = v.axis * v.inner;
  const int64_t blocks = v.blocks();
  for (int64_t at = begin; at < end;) {
    const int64_t o = at / perOuter;
    const int64_t a = at % perOuter / v.inner;
    const int64_t i = at % v.inner;
    const int64_t b = a / v.block;
    const int64_t tile = (v.sharedByOuter ? 0 : o) * blocks + b;
    const int64_t stop = v.perInner ? at - i + v.inner : o * perOuter + std::min((b + 1) * v.block, v.axis) * v.inner;
    const int64_t count = std::min({end, stop, at + kPiece}) - at;
    fn(Segment{at, count, v.perInner ? tile * v.inner + i : tile});
    at += count;
  }
}

// The elements [0, n) in shares for threads, cut at cache lines of bytes.
template <typename Fn>
void parallelElements(int64_t n, Fn&& fn) {
  constexpr int64_t kUnit = 64;
  const int64_t units = ceilDiv(n, kUnit);
  parallel(threadsFor(n), [&](int t, int total) {
    fn(std::min(units * t / total * kUnit, n), std::min(units * (t + 1) / total * kUnit, n));
  });
}

// The refusal for the first element that ok() rejects.
template <typename Ok>
Status refuseValue(const char* operation, const float* x, int64_t n, int64_t rowLength, const char* what, Ok&& ok) {
  const int64_t at = std::find_if_not(x, x + n, ok) - x;
  return Status::invalid(operation, "x", "finite values",
                         std::string(what) + " in row " + std::to_string(at / rowLength));
}
bool isFinite(float v) { return std::fabs(v) <= FLT_MAX; }
bool isNumber(float v) { return v == v; }

// Branch-free, so that it becomes vector code.
template <typename Ok>
bool allOf(const float* x, int64_t n, Ok&& ok) {
  int bad = 0;
  for (int64_t i = 0; i < n; ++i) bad |= !ok(x[i]);
  return bad == 0;
}

struct Range {
  float min = 0.0f;
  float max = 0.0f;
};

// Extends ranges[param] by a segment; false on NaN or infinity.
bool scanSegment(const float* x, const ParamView& v, const Segment& s, Range* ranges) {
  if (!v.perInner) return kernels().scanRange(x + s.at, s.count, &ranges[s.param].min, &ranges[s.param].max);
  Range* r = ranges + s.param;
  for (int64_t i = 0; i < s.count; ++i) {
    const float value = x[s.at + i];
    r[i].min = value < r[i].min ? value : r[i].min;
    r[i].max = value > r[i].max ? value : r[i].max;
  }
  return allOf(x + s.at, s.count, isFinite);
}

// ranges[p] over the tensor, starting from zero. Tensors with many tiles of separate parameters are shared out tile by
// tile; where threads share a parameter each keeps separate ranges, and they are merged.
bool scanTensor(const ChooseQParamsArgs& args, std::vector<Range>& ranges) {
  const ParamView& v = args.view;
  const int64_t n = v.elements();
  const int64_t tiles = v.outer * v.blocks();
  const int count = threadsFor(n);
  std::atomic<bool> finite{true};
  if (!v.sharedByOuter && !v.perInner && tiles >= count) {
    const auto start = [&](int64_t tile) {
      return tile / v.blocks() * v.axis * v.inner + tile % v.blocks() * v.block * v.inner;
    };
    parallel(count, [&](int t, int total) {
      forSegments(v, start(tiles * t / total), start(tiles * (t + 1) / total), [&](const Segment& s) {
        if (!scanSegment(args.x, v, s, ranges.data())) finite = false;
      });
    });
    return finite;
  }
  std::vector<std::vector<Range>> own(static_cast<size_t>(count), ranges);
  parallel(count, [&](int t, int total) {
    forSegments(v, n * t / total, n * (t + 1) / total, [&](const Segment& s) {
      if (!scanSegment(args.x, v, s, own[static_cast<size_t>(t)].data())) finite = false;
    });
  });
  for (const auto& part : own) {
    for (size_t p = 0; p < ranges.size(); ++p) {
      ranges[p].min = std::min(ranges[p].min, part[p].min);
      ranges[p].max = std::max(ranges[p].max, part[p].max);
    }
  }
  return finite;
}

// At 1.5 · 2^23 the spacing of floats is 1, so the addition rounds, half to even. Exact for |x| ≤ 2^22.
float roundToInteger(float x) {
  constexpr float kSpacingOne = 0x1.8p23f;
  return (x + kSpacingOne) - kSpacingOne;
}

// The definition, for any quotient: saturated before it is rounded, which is the same because the limits are integers.
template <typename T>
T codeOf(float x, float scale, int32_t zeroPoint, CodeRange range) {
  const float lo = static_cast<float>(range.lo - zeroPoint);
  const float hi = static_cast<float>(range.hi - zeroPoint);
  float v = x / scale;
  v = v > lo ? v : lo;
  v = v < hi ? v : hi;
  return static_cast<T>(static_cast<int32_t>(roundToInteger(v)) + zeroPoint);
}

// The kernels' quantizeRow needs values inside the range of the parameters; one code of slack is what rounding the zero
// point can cost.
bool fitsKernel(const Range& r, const AffineParams& p) {
  const float lo = static_cast<float>(-p.zeroPoint - 1);
  const float hi = static_cast<float>(p.qmax - p.zeroPoint + 1);
  return p.scale > 0.0f && r.min / p.scale >= lo && r.max / p.scale <= hi;
}

// One parameter, byte codes: the kernel counts codes from lo.
template <typename T>
void quantizeBytes(const float* x, int64_t n, const Range& seen, float scale, int32_t zeroPoint, CodeRange range,
                   T* out) {
  static_assert(sizeof(T) == 1);
  const AffineParams params = affineParams(scale, zeroPoint - range.lo, range.hi - range.lo);
  if (!fitsKernel(seen, params)) {
    for (int64_t i = 0; i < n; ++i) out[i] = codeOf<T>(x[i], scale, zeroPoint, range);
    return;
  }
  uint8_t* bytes = reinterpret_cast<uint8_t*>(out);
  kernels().quantizeRow(x, n, params, bytes, kBlockK);
  if (range.lo == 0) return;
  const uint8_t shift = static_cast<uint8_t>(range.lo);
  for (int64_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(bytes[i] + shift);
}

template <typename T>
class Quantizer {
 public:
  explicit Quantizer(const QuantizeArgs& args) : args_(args), out_(static_cast<T*>(args.out)) {}

  // False when the segment holds a value that has no code.
  bool operator()(const Segment& s) const {
    const float* x = args_.x + s.at;
    T* out = out_ + s.at;
    if (args_.view.perInner) {
      for (int64_t i = 0; i < s.count; ++i) {
        const int64_t p = s.param + i;
        out[i] = codeOf<T>(x[i], args_.scale[p], zeroPoint(p), range(p));
      }
      return allValid(x, s.count);
    }
    Range seen;
    const bool finite = kernels().scanRange(x, s.count, &seen.min, &seen.max);
    if (!finite && !allValid(x, s.count)) return false;
    const float scale = args_.scale[s.param];
    if constexpr (sizeof(T) == 1) {
      if (finite) {
        quantizeBytes(x, s.count, seen, scale, zeroPoint(s.param), range(s.param), out);
        return true;
      }
    }
    for (int64_t i = 0; i < s.count; ++i) out[i] = codeOf<T>(x[i], scale, zeroPoint(s.param), range(s.param));
    return true;
  }

 private:
  int32_t zeroPoint(int64_t p) const { return args_.zeroPoint ? args_.zeroPoint[p] : 0; }
  CodeRange range(int64_t p) const {
    return args_.paramBits ? codeRange(args_.scheme, args_.paramBits[p]) : args_.range;
  }
  bool allValid(const float* x, int64_t n) const {
    return args_.allowInfinity ? allOf(x, n, isNumber) : allOf(x, n, isFinite);
  }

  const QuantizeArgs& args_;
  T* out_;
};

template <typename T>
Status quantizeAs(const QuantizeArgs& args) {
  const int64_t n = args.view.elements();
  const Quantizer<T> quantizer(args);
  std::atomic<bool> valid{true};
  parallelElements(n, [&](int64_t begin, int64_t end) {
    forSegments(args.view, begin, end, [&](const Segment& s) {
      if (!quantizer(s)) valid = false;
    });
  });
  if (valid) return Status::ok();
  return args.allowInfinity ? refuseValue(args.operation, args.x, n, args.rowLength, "NaN", isNumber)
                            : refuseValue(args.operation, args.x, n, args.rowLength, "NaN or infinity", isFinite);
}

// Codes minus zero point, in int32; it wraps for int32 codes, as ONNX leaves it.
int32_t difference(int32_t code, int32_t zeroPoint) {
  return static_cast<int32_t>(static_cast<uint32_t>(code) - static_cast<uint32_t>(zeroPoint));
}

template <typename T>
Status dequantizeAs(const DequantizeArgs& args) {
  const T* codes = static_cast<const T*>(args.codes);
  parallelElements(args.view.elements(), [&](int64_t begin, int64_t end) {
    forSegments(args.view, begin, end, [&](const Segment& s) {
      const T* q = codes + s.at;
      float* out = args.out + s.at;
      if (!args.view.perInner) {
        const float scale = args.scale[s.param];
        const int32_t zeroPoint = args.zeroPoint ? args.zeroPoint[s.param] : 0;
        for (int64_t i = 0; i < s.count; ++i) out[i] = scale * static_cast<float>(difference(q[i], zeroPoint));
        return;
      }
      for (int64_t i = 0; i < s.count; ++i) {
        const int32_t zeroPoint = args.zeroPoint ? args.zeroPoint[s.param + i] : 0;
        out[i] = args.scale[s.param + i] * static_cast<float>(difference(q[i], zeroPoint));
      }
    });
  });
  return Status::ok();
}

Status checkScales(const char* operation, const float* scale, int64_t params) {
  for (int64_t p = 0; p < params; ++p) {
    if (isFinite(scale[p]) && scale[p] != 0.0f) continue;
    return Status::invalid(operation, "scale", "finite scales other than 0",
                           std::to_string(scale[p]) + " at index " + std::to_string(p));
  }
  return Status::ok();
}

Status checkParams(const QuantizeArgs& args) {
  const int64_t params = args.view.params();
  if (Status s = checkScales(args.operation, args.scale, params); !s) return s;
  for (int64_t p = 0; p < params; ++p) {
    const CodeRange range = args.paramBits ? codeRange(args.scheme, args.paramBits[p]) : args.range;
    const int32_t zeroPoint = args.zeroPoint ? args.zeroPoint[p] : 0;
    if (zeroPoint >= range.lo && zeroPoint <= range.hi) continue;
    return Status::invalid(args.operation, "zeroPoint", std::to_string(range.lo) + " to " + std::to_string(range.hi),
                           std::to_string(zeroPoint) + " at index " + std::to_string(p));
  }
  return Status::ok();
}

}  // namespace

CodeRange codeRange(const Scheme& scheme, int bits) {
  const int32_t half = 1 << (bits - 1);
  const int32_t shift = scheme.isSigned ? 0 : half;
  return {(scheme.symmetric ? 1 - half : -half) + shift, half - 1 + shift};
}

Status chooseQParams(const ChooseQParamsArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  const int64_t params = args.view.params();
  std::vector<Range> ranges(static_cast<size_t>(params));
  if (!scanTensor(args, ranges)) {
    return refuseValue("chooseQParams", args.x, args.view.elements(), args.rowLength, "NaN or infinity", isFinite);
  }
  for (int64_t p = 0; p < params; ++p) {
    const Range& r = ranges[static_cast<size_t>(p)];
    const int bits = args.paramBits ? args.paramBits[p] : args.bits;
    const int32_t half = 1 << (bits - 1);
    if (args.scheme.symmetric) {
      args.scale[p] = chooseSymmetricScale(std::max(-r.min, r.max), bits);
      args.zeroPoint[p] = args.scheme.isSigned ? 0 : half;
    } else {
      const AffineParams chosen = chooseAsymmetric(r.min, r.max, bits);
      args.scale[p] = chosen.scale;
      args.zeroPoint[p] = chosen.zeroPoint - (args.scheme.isSigned ? half : 0);
    }
  }
  return Status::ok();
}

Status quantize(const QuantizeArgs& args) {
  if (!dispatchStatus()) return dispatchStatus();
  if (Status s = checkParams(args); !s) return s;
  switch (args.type) {
    case CodeType::u8:
      return quantizeAs<uint8_t>(args);
    case CodeType::s8:
      return quantizeAs<int8_t>(args);
    case CodeType::u16:
      return quantizeAs<uint16_t>(args);
    case CodeType::s16:
      return quantizeAs<int16_t>(args);
    case CodeType::s32:
      break;
  }
  return Status::invalid(args.operation, "out", "codes of 8 or 16 bits", "32");
}

Status dequantize(const DequantizeArgs& args) {
  switch (args.type) {
    case CodeType::u8:
      return dequantizeAs<uint8_t>(args);
    case CodeType::s8:
      return dequantizeAs<int8_t>(args);
    case CodeType::u16:
      return dequantizeAs<uint16_t>(args);
    case CodeType::s16:
      return dequantizeAs<int16_t>(args);
    case CodeType::s32:
      return dequantizeAs<int32_t>(args);
  }
  return Status::ok();
}

}  // namespace faultline
