#include "cuda/weights.h"

#include <cstdlib>

#include "core/aligned.h"

namespace faultline::cuda {
namespace {

constexpr int64_t kChunkBytes = 16;
constexpr int64_t kStageK = 64;

// Few channels: narrow tiles, so that little of the work is padding.
int warpsFor(int64_t n) { return n <= 32 ? 1 : n <= 64 ? 2 : 4; }

void allocate(WeightImage* image, int64_t scaleGroups) {
  WeightLayout& l = image->layout;
  l.warpsN = warpsFor(l.n);
  l.paddedN = roundUp(l.n, int64_t{32} * l.warpsN);
  l.kBytes = roundUp(l.k, kStageK);
  image->codes.resize(static_cast<size_t>(l.groups * l.paddedN * l.kBytes / (l.int4 ? 2 : 1)));
  image->sums.resize(static_cast<size_t>(l.groups * scaleGroups * l.paddedN));
  image->scales.resize(image->sums.size());
}

// Weight k of a channel; see GemmKernel for the order of nibbles.
void place(WeightImage* image, int64_t channel, int64_t k, int8_t code) {
  const WeightLayout& l = image->layout;
  if (!l.int4) {
    image->codes[static_cast<size_t>(channel * l.kBytes + k)] = static_cast<uint8_t>(code);
    return;
  }
  const int64_t slab = k / (2 * kChunkBytes);
  const int64_t inSlab = k % (2 * kChunkBytes);
  const int shift = inSlab < kChunkBytes ? 0 : 4;
  uint8_t& byte =
      image->codes[static_cast<size_t>(channel * (l.kBytes / 2) + slab * kChunkBytes + inSlab % kChunkBytes)];
  byte = static_cast<uint8_t>(byte | (code & 15) << shift);
}

}  // namespace

WeightImage matrixImage(const int8_t* codes, const float* scales, int64_t n, int64_t k, bool int4, int64_t blockSize) {
  WeightImage image;
  image.layout.int4 = int4;
  image.layout.n = n;
  image.layout.k = k;
  image.layout.blockSize = blockSize;
  const int64_t scaleGroups = blockSize > 0 ? ceilDiv(k, blockSize) : 1;
  allocate(&image, scaleGroups);
  for (int64_t channel = 0; channel < n; ++channel) {
    for (int64_t i = 0; i < k; ++i) {
      const int8_t code = codes[channel * k + i];
      place(&image, channel, i, code);
      const int64_t group = blockSize > 0 ? i / blockSize : 0;
      image.sums[static_cast<size_t>(group * image.layout.paddedN + channel)] += code;
    }
    for (int64_t g = 0; g < scaleGroups; ++g) {
      image.scales[static_cast<size_t>(g * image.layout.paddedN + channel)] = scales[g * n + channel];
    }
  }
  return image;
}

bool isDepthwise(const ConvWeightShape& shape) { return shape.groupChannels == 1 && shape.groups > 1; }

WeightImage convolutionImage(const int8_t* codes, const float* scales, const ConvWeightShape& shape, bool int4) {
  WeightImage image;
  WeightLayout& l = image.layout;
  l.depthwise = isDepthwise(shape);
  if (l.depthwise) {
    l.n = l.paddedN = shape.outChannels;
    l.k = l.kBytes = shape.k();
    image.codes.resize(static_cast<size_t>(l.k * l.n));
    image.sums.resize(static_cast<size_t>(l.n));
    image.scales.assign(scales, scales + l.n);
    for (int64_t n = 0; n < l.n; ++n) {
      for (int64_t k = 0; k < l.k; ++k) {
        image.codes[static_cast<size_t>(k * l.n + n)] = static_cast<uint8_t>(codes[n * l.k + k]);
        image.sums[static_cast<size_t>(n)] += codes[n * l.k + k];
      }
    }
    return image;
  }
  const int64_t groupBytes = roundUp(shape.groupChannels, kChunkBytes);
  l.int4 = int4;
  l.groups = shape.groups;
  l.n = shape.groupOutChannels();
  l.k = shape.kernelH * shape.kernelW * groupBytes;
  allocate(&image, 1);
  for (int64_t channel = 0; channel < shape.outChannels; ++channel) {
    const int64_t at = channel / l.n * l.paddedN + channel % l.n;
    for (int64_t k = 0; k < shape.k(); ++k) {
      const int64_t padded = k / shape.groupChannels * groupBytes + k % shape.groupChannels;
      const int8_t code = codes[channel * shape.k() + k];
      place(&image, at, padded, code);
      image.sums[static_cast<size_t>(at)] += code;
    }
    image.scales[static_cast<size_t>(at)] = scales[channel];
  }
  return image;
}

std::vector<int32_t> chunkOffsets(const ConvWeightShape& shape, int64_t dilationRowBytes, int64_t dilationColumnBytes) {
  const int64_t chunks = roundUp(shape.groupChannels, kChunkBytes) / kChunkBytes;
  const int64_t taps = shape.kernelH * shape.kernelW;
  std::vector<int32_t> offsets(static_cast<size_t>(roundUp(taps * chunks * kChunkBytes, kStageK) / kChunkBytes));
  for (int64_t i = 0; i < taps * chunks; ++i) {
    const int64_t tap = i / chunks;
    offsets[static_cast<size_t>(i)] = static_cast<int32_t>(
        tap / shape.kernelW * dilationRowBytes + tap % shape.kernelW * dilationColumnBytes + i % chunks * kChunkBytes);
  }
  return offsets;
}

bool sumsFit(const int8_t* codes, int64_t channels, int64_t k, bool int4) {
  constexpr int64_t kLargestCode = 255, kLargestSum = INT32_MAX;
  const int64_t most = kLargestSum / kLargestCode / (int4 ? 16 : 1);
  for (int64_t channel = 0; channel < channels; ++channel) {
    int64_t sum = 0;
    for (int64_t i = 0; i < k; ++i) sum += std::abs(int{codes[channel * k + i]});
    if (sum > most) return false;
  }
  return true;
}

}  // namespace faultline::cuda
