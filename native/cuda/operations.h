// Dynamic products as sequences of kernels: ranges, parameters, codes, product. Nothing is copied back in between.
//
// Queue::launch<Kernel>(grid, params) runs a kernel: on a device (cuda/device.cu) or emulated (the native tests). All
// pointers are the queue's memory. The parameters follow the CPU's calls (ops/matmul.h, ops/conv2d.h), which check what
// callers check here.
#pragma once

#include <algorithm>

#include "core/aligned.h"
#include "cuda/gemm_kernel.h"
#include "cuda/quantize_kernels.h"
#include "cuda/small_kernel.h"
#include "cuda/weights.h"

namespace faultline::cuda {

struct Grid {
  int64_t x = 1;
  int64_t y = 1;
  int64_t z = 1;
};

// Up to this many rows the product's time is that of reading the weights once.
inline constexpr int64_t kFewRows = 16;
// A unit's range is taken by several blocks from this length on.
inline constexpr int64_t kSliceLength = 1 << 14;
inline constexpr int64_t kMaxSlices = 64;

// Activations: units (rows or samples), each [h, w, groups · groupChannels], quantized in themselves or all together.
struct Activations {
  const float* x = nullptr;
  int64_t units = 0;
  int64_t ldx = 0;
  int64_t h = 1, w = 1;
  int64_t groups = 1, groupChannels = 0;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int64_t groupBytes = 0;
  bool perTensor = false;
  int bits = 8;
  const uint8_t* unitBits = nullptr;  // [units], not with perTensor
  FaultMark fault;

  int64_t paddedH() const { return h + padTop + padBottom; }
  int64_t paddedW() const { return w + padLeft + padRight; }
  int64_t pixelBytes() const { return groups * groupBytes; }
  int64_t imageBytes() const { return paddedH() * paddedW() * pixelBytes(); }
  int64_t unitLength() const { return h * w * groups * groupChannels; }
  int64_t params() const { return perTensor ? 1 : units; }
  int64_t unitsPerParam() const { return perTensor ? units : 1; }
  int64_t slices() const { return std::clamp(ceilDiv(unitLength(), kSliceLength), int64_t{1}, kMaxSlices); }
};

// Scratch of one call, in one piece of memory aligned to 128.
struct Workspace {
  PartialRange* partial;  // [units][slices]
  float* scale;           // [params]
  int32_t* zeroPoint;     // [params]
  uint8_t* codes;         // [units][imageBytes]
  size_t bytes;
};

inline Workspace carve(const Activations& a, uint8_t* base) {
  size_t at = 0;
  const auto take = [&](int64_t bytes) {
    const size_t from = at;
    at = roundUp(at + static_cast<size_t>(bytes), size_t{128});
    return base ? base + from : nullptr;
  };
  Workspace w;
  w.partial = reinterpret_cast<PartialRange*>(take(a.units * a.slices() * static_cast<int64_t>(sizeof(PartialRange))));
  w.scale = reinterpret_cast<float*>(take(a.params() * 4));
  w.zeroPoint = reinterpret_cast<int32_t*>(take(a.params() * 4));
  w.codes = take(a.units * a.imageBytes());
  w.bytes = at;
  return w;
}

template <typename Queue>
void quantizeActivations(Queue& queue, const Activations& a, const Workspace& w) {
  const int32_t slices = static_cast<int32_t>(a.slices());
  const int64_t length = a.unitLength();
  queue.template launch<RangeKernel>(Grid{a.units * slices},
                                     {a.x, a.ldx, length, ceilDiv(length, int64_t{slices}), slices, w.partial});
  queue.template launch<ParamsKernel>(
      Grid{a.params()}, {w.partial, slices, a.unitsPerParam(), a.bits, a.unitBits, w.scale, w.zeroPoint, a.fault});
  const int64_t chunks = a.units * a.imageBytes() / QuantizeKernel::kCodes;
  queue.template launch<QuantizeKernel>(
      Grid{ceilDiv(chunks, int64_t{QuantizeKernel::kThreads})},
      {a.x, a.ldx, a.h, a.w, a.paddedH(), a.paddedW(), a.padTop, a.padLeft, a.groups, a.groupChannels, a.groupBytes,
       a.unitsPerParam(), a.bits, a.unitBits, w.scale, w.zeroPoint, chunks, w.codes});
}

// Weights in the queue's memory.
struct DeviceWeights {
  WeightLayout layout;
  const uint8_t* codes = nullptr;
  const int32_t* sums = nullptr;
  const float* scales = nullptr;
};

template <bool kInt4, int kWarpsN, typename Queue>
void launchGemm(Queue& queue, const RowMap& a, int64_t rows, const DeviceWeights& w, const Output& output) {
  using Kernel = GemmKernel<kInt4, kWarpsN>;
  const WeightLayout& l = w.layout;
  queue.template launch<Kernel>(Grid{ceilDiv(rows, int64_t{kTileM}), l.paddedN / Kernel::kTileN, l.groups},
                                {a, rows, w.codes, l.n, l.paddedN, l.kBytes, output});
}

template <bool kInt4, typename Queue>
void multiplyStored(Queue& queue, const RowMap& a, int64_t rows, const DeviceWeights& w, const Output& output) {
  const WeightLayout& l = w.layout;
  const bool matrix = a.chunkOffset == nullptr;
  if (matrix && (l.blockSize > 0 || rows <= kFewRows)) {
    using Kernel = SmallKernel<kInt4>;
    const int64_t channels = Kernel::kThreads / kWarp;
    queue.template launch<Kernel>(Grid{ceilDiv(rows, int64_t{Kernel::kRows}), ceilDiv(l.n, channels)},
                                  {a.codes, rows, w.codes, l.n, l.paddedN, l.kBytes, l.k, l.blockSize, output});
  } else if (l.warpsN == 1) {
    launchGemm<kInt4, 1>(queue, a, rows, w, output);
  } else if (l.warpsN == 2) {
    launchGemm<kInt4, 2>(queue, a, rows, w, output);
  } else {
    launchGemm<kInt4, 4>(queue, a, rows, w, output);
  }
}

// rows codes of a matrix (row stride layout.kBytes) or of a convolution's windows, times the weights.
template <typename Queue>
void multiply(Queue& queue, const RowMap& a, int64_t rows, const DeviceWeights& w, Output output) {
  output.sums = w.sums;
  output.scales = w.scales;
  output.ld = w.layout.groups * w.layout.n;
  if (w.layout.int4) {
    multiplyStored<true>(queue, a, rows, w, output);
  } else {
    multiplyStored<false>(queue, a, rows, w, output);
  }
}

struct MatmulCall {
  const float* x = nullptr;  // [m, k]
  int64_t m = 0;
  DeviceWeights weights;
  bool perTensor = false;
  int bits = 8;
  const uint8_t* rowBits = nullptr;
  FaultMark fault;
  Output output;  // bias, residual, clip, out or acc; the rest is filled in here
};

inline Activations activationsOf(const MatmulCall& c) {
  Activations a;
  a.x = c.x;
  a.units = c.m;
  a.ldx = a.groupChannels = c.weights.layout.k;
  a.groupBytes = c.weights.layout.kBytes;
  a.perTensor = c.perTensor;
  a.bits = c.bits;
  a.unitBits = c.rowBits;
  a.fault = c.fault;
  return a;
}

template <typename Queue>
void matmulDynamic(Queue& queue, const MatmulCall& c, const Workspace& w) {
  const Activations a = activationsOf(c);
  quantizeActivations(queue, a, w);
  RowMap map;
  map.codes = w.codes;
  map.rowBytes = a.groupBytes;
  Output output = c.output;
  output.rowScale = w.scale;
  output.zeroPoint = w.zeroPoint;
  output.rowsPerParam = a.unitsPerParam();
  multiply(queue, map, c.m, c.weights, output);
}

struct ConvCall {
  const float* x = nullptr;  // [n, h, w, c]
  int64_t n = 0, h = 0, w = 0, c = 0;
  int64_t strideH = 1, strideW = 1, dilationH = 1, dilationW = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int64_t kernelH = 1, kernelW = 1;
  int64_t outH = 0, outW = 0;
  DeviceWeights weights;
  const int32_t* chunkOffset = nullptr;  // chunkOffsets(); null for a depthwise convolution
  bool perTensor = false;
  int bits = 8;
  const uint8_t* sampleBits = nullptr;
  FaultMark fault;
  Output output;
};

inline Activations activationsOf(const ConvCall& c) {
  const WeightLayout& l = c.weights.layout;
  Activations a;
  a.x = c.x;
  a.units = c.n;
  a.h = c.h;
  a.w = c.w;
  a.ldx = c.h * c.w * c.c;
  a.groups = l.depthwise ? 1 : l.groups;
  a.groupChannels = c.c / a.groups;
  a.groupBytes = roundUp(a.groupChannels, int64_t{kChunk});
  a.padTop = c.padTop;
  a.padLeft = c.padLeft;
  a.padBottom = c.padBottom;
  a.padRight = c.padRight;
  a.perTensor = c.perTensor;
  a.bits = c.bits;
  a.unitBits = c.sampleBits;
  a.fault = c.fault;
  return a;
}

template <typename Queue>
void conv2dDynamic(Queue& queue, const ConvCall& c, const Workspace& w) {
  const Activations a = activationsOf(c);
  quantizeActivations(queue, a, w);
  const int64_t rowBytes = a.paddedW() * a.pixelBytes();
  const int64_t outPixels = c.outH * c.outW;
  Output output = c.output;
  output.rowScale = w.scale;
  output.zeroPoint = w.zeroPoint;
  output.rowsPerParam = outPixels * a.unitsPerParam();
  if (!c.weights.layout.depthwise) {
    RowMap map;
    map.codes = w.codes;
    map.chunkOffset = c.chunkOffset;
    map.outPixels = outPixels;
    map.outW = c.outW;
    map.imageBytes = a.imageBytes();
    map.stepH = c.strideH * rowBytes;
    map.stepW = c.strideW * a.pixelBytes();
    map.groupBytes = a.groupBytes;
    multiply(queue, map, c.n * outPixels, c.weights, output);
    return;
  }
  const int64_t channels = c.weights.layout.n;
  output.sums = c.weights.sums;
  output.scales = c.weights.scales;
  output.ld = channels;
  const int64_t rows = c.n * outPixels;
  queue.template launch<DepthwiseKernel>(
      Grid{ceilDiv(rows * channels, int64_t{DepthwiseKernel::kThreads})},
      {w.codes, a.imageBytes(), rowBytes, a.pixelBytes(), outPixels, c.outW, c.kernelH, c.kernelW, c.strideH, c.strideW,
       c.dilationH, c.dilationW, channels, channels / c.c, reinterpret_cast<const int8_t*>(c.weights.codes), rows,
       output});
}

}  // namespace faultline::cuda
