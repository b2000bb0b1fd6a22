// Weights as the CUDA kernels read them, made on the host from codes and scales.
#pragma once

#include <cstdint>
#include <vector>

#include "quant/packed_conv.h"

namespace faultline::cuda {

struct WeightLayout {
  bool int4 = false;
  bool depthwise = false;
  int64_t groups = 1;
  int64_t n = 0;        // channels of a group
  int64_t paddedN = 0;  // a multiple of the tile: 32 · warpsN
  int warpsN = 4;       // GemmKernel's: 1, 2 or 4
  int64_t k = 0;        // of the codes' rows, channels padded to 16 for a convolution
  int64_t kBytes = 0;   // k, a multiple of 64
  int64_t blockSize = 0;
};

// codes: [groups][paddedN][kBytes] (int4: kBytes / 2), zero-padded, or depthwise [kernelH · kernelW][n].
// sums and scales: [groups or scaleGroups][paddedN].
struct WeightImage {
  WeightLayout layout;
  std::vector<uint8_t> codes;
  std::vector<int32_t> sums;
  std::vector<float> scales;
};

// codes: [n, k], scales: [scale groups, n]; blockSize: 0, or k that share a scale.
WeightImage matrixImage(const int8_t* codes, const float* scales, int64_t n, int64_t k, bool int4, int64_t blockSize);

// codes: [outChannels, k], scales: [outChannels]. K runs over rows, columns, channels of a group padded to 16. Scales
// by group of K: no image (the caller refuses them).
WeightImage convolutionImage(const int8_t* codes, const float* scales, const ConvWeightShape& shape, bool int4);
// One input channel a group: no product of matrices.
bool isDepthwise(const ConvWeightShape& shape);

// From a window's first byte to each 16 bytes of K, [kBytes / 16]. Where K is padding, 0 (readable; weights are zero).
std::vector<int32_t> chunkOffsets(const ConvWeightShape& shape, int64_t dilationRowBytes, int64_t dilationColumnBytes);

// Whether no sum of codes (u8) times these weights leaves int32: int4 weights are multiplied as 16 · w.
bool sumsFit(const int8_t* codes, int64_t channels, int64_t k, bool int4);

}  // namespace faultline::cuda
