// One benchmark problem: a shape, its operands, and the reference its results are checked against.
//
// A matrix product is a convolution of M one-pixel samples, so both share one geometry, one reference and one check:
// n = M, h = w = kh = kw = 1, c = K, oc = N. Activations are [N, H, W, C], weights [OC, KH, KW, C / groups].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/aligned.h"

namespace faultline::bench {

enum class Op { matmulS32, matmulDynamic, matmulInt4, convS32, convDynamic, convInt4 };
bool opFromName(const std::string& name, Op* op);
inline bool isConv(Op op) { return op >= Op::convS32; }
inline bool isS32(Op op) { return op == Op::matmulS32 || op == Op::convS32; }
inline bool isInt4(Op op) { return op == Op::matmulInt4 || op == Op::convInt4; }

struct Geometry {
  int64_t n = 1, h = 1, w = 1, c = 1;
  int64_t oc = 1, kh = 1, kw = 1;
  int64_t strideH = 1, strideW = 1, dilationH = 1, dilationW = 1;
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int64_t groups = 1;

  int64_t oh() const { return (h + padTop + padBottom - dilationH * (kh - 1) - 1) / strideH + 1; }
  int64_t ow() const { return (w + padLeft + padRight - dilationW * (kw - 1) - 1) / strideW + 1; }
  int64_t pixels() const { return oh() * ow(); }    // of one output sample
  int64_t sampleSize() const { return h * w * c; }  // elements of one input sample
  int64_t channelsPerGroup() const { return c / groups; }
  int64_t outputsPerGroup() const { return oc / groups; }
  int64_t depth() const { return kh * kw * channelsPerGroup(); }  // multiply-adds of one output element
  int64_t macs() const { return n * pixels() * oc * depth(); }
  int64_t inputs() const { return n * sampleSize(); }
  int64_t outputs() const { return n * pixels() * oc; }
};

struct Job {
  Op op = Op::matmulS32;
  Geometry shape;
  int64_t blockSize = 0;  // int4: weights that share a scale, 0 = a whole channel
  int weightMax = 0;      // largest weight code; 0 = all that the bits allow
  std::vector<int> threads{1};
};

// Activations as ONNX DynamicQuantizeLinear gives them, from one range a sample or one for the whole tensor.
struct QuantizedInput {
  AlignedBuffer<uint8_t> codes;  // [N, H, W, C]
  std::vector<float> scale;      // [N]
  std::vector<int32_t> zeroPoint;
};
enum class Granularity { perSample, perTensor };

struct Problem {
  Job job;
  int weightBits = 8;
  AlignedBuffer<float> x;      // [N, H, W, C]
  AlignedBuffer<int8_t> w;     // [OC, KH, KW, C / groups], codes
  int64_t scaleGroups = 1;     // ceil(depth / blockSize)
  std::vector<float> wScales;  // [scaleGroups, OC]
  QuantizedInput perSample;    // what a per-sample dynamic implementation computes with …
  QuantizedInput perTensor;  // … and a per-tensor one; for s32 problems perSample holds codes with zero point 0 and x
                             // those codes as floats

  const Geometry& shape() const { return job.shape; }
};

// The same job gives the same operands on every machine and in every run.
Problem makeProblem(const Job& job);

// Where an implementation left element (sample, pixel, channel) of its output.
struct OutputLayout {
  int64_t pixelStride;
  int64_t channelStride;
};
OutputLayout nhwc(const Geometry& g);
OutputLayout nchw(const Geometry& g);

// Each returns an empty string when the result is right, else what was expected and received.
std::string checkAccumulators(const Problem& p, const int32_t* acc, OutputLayout layout);
std::string checkFloats(const Problem& p, const QuantizedInput& a, const float* y, OutputLayout layout);
// Activations quantized symmetrically in blocks along K (ORT MatMulNBits): their codes are internal to the peer, so
// the distance from x · dequantize(w) is checked against the rounding noise such codes must have.
std::string checkBlockQuantized(const Problem& p, const float* y, int64_t activationBlock);
// u8 results of a static convolution (ORT QLinearConv).
std::string checkRequantized(const Problem& p, const QuantizedInput& a, const uint8_t* y, float yScale,
                             int32_t yZeroPoint, OutputLayout layout);

}  // namespace faultline::bench
