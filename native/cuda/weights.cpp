#include "cuda/weights.h"

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

WeightImage matrixImage(const PackedMatrix& m) {
  WeightImage image;
  image.layout.int4 = m.storage == WeightStorage::int4;
  image.layout.n = m.n;
  image.layout.k = m.k;
  image.layout.blockSize = m.blockSize;
  allocate(&image, m.scaleGroups);
  for (int64_t n = 0; n < m.n; ++n) {
    for (int64_t k = 0; k < m.k; ++k) place(&image, n, k, packedCode(m, n, k));
    for (int64_t g = 0; g < m.scaleGroups; ++g) {
      const size_t from = static_cast<size_t>(g * m.paddedN() + n);
      const size_t to = static_cast<size_t>(g * image.layout.paddedN + n);
      image.sums[to] = m.sums[from];
      image.scales[to] = m.scales[from];
    }
  }
  return image;
}

WeightImage convolutionImage(const PackedConv& conv) {
  const ConvWeightShape& shape = conv.shape;
  WeightImage image;
  WeightLayout& l = image.layout;
  l.depthwise = conv.isDepthwise();
  if (l.depthwise) {
    l.n = l.paddedN = shape.outChannels;
    l.k = l.kBytes = shape.k();
    image.codes.resize(static_cast<size_t>(l.k * l.n));
    image.sums.assign(conv.depthwise.sums.data(), conv.depthwise.sums.data() + l.n);
    image.scales.assign(conv.depthwise.scales.data(), conv.depthwise.scales.data() + l.n);
    for (int64_t n = 0; n < l.n; ++n) {
      for (int64_t k = 0; k < l.k; ++k) {
        image.codes[static_cast<size_t>(k * l.n + n)] = static_cast<uint8_t>(packedConvCode(conv, n, k));
      }
    }
    return image;
  }
  const int64_t groupBytes = roundUp(shape.groupChannels, kChunkBytes);
  l.int4 = conv.storage == WeightStorage::int4;
  l.groups = shape.groups;
  l.n = shape.groupOutChannels();
  l.k = shape.kernelH * shape.kernelW * groupBytes;
  allocate(&image, 1);
  for (int64_t channel = 0; channel < shape.outChannels; ++channel) {
    const int64_t at = channel / l.n * l.paddedN + channel % l.n;
    for (int64_t k = 0; k < shape.k(); ++k) {
      const int64_t padded = k / shape.groupChannels * groupBytes + k % shape.groupChannels;
      const int8_t code = packedConvCode(conv, channel, k);
      place(&image, at, padded, code);
      image.sums[static_cast<size_t>(at)] += code;
    }
    image.scales[static_cast<size_t>(at)] = packedConvScale(conv, channel, 0);
  }
  return image;
}

std::vector<int32_t> chunkOffsets(const PackedConv& conv, int64_t dilationRowBytes, int64_t dilationColumnBytes) {
  const int64_t chunks = roundUp(conv.shape.groupChannels, kChunkBytes) / kChunkBytes;
  const int64_t taps = conv.shape.kernelH * conv.shape.kernelW;
  std::vector<int32_t> offsets(static_cast<size_t>(roundUp(taps * chunks * kChunkBytes, kStageK) / kChunkBytes));
  for (int64_t i = 0; i < taps * chunks; ++i) {
    const int64_t tap = i / chunks;
    offsets[static_cast<size_t>(i)] =
        static_cast<int32_t>(tap / conv.shape.kernelW * dilationRowBytes +
                             tap % conv.shape.kernelW * dilationColumnBytes + i % chunks * kChunkBytes);
  }
  return offsets;
}

}  // namespace faultline::cuda
