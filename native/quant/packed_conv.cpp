#include "quant/packed_conv.h"

#include <algorithm>
#include <cstring>

namespace faultline {
namespace {

constexpr int64_t kTaps = 4;    // products in a 32-bit lane
constexpr int64_t kShifts = 2;  // depthwise: rows of a lane where a window may begin
// AMX: gathering a block of 64 for 16 rows takes about as long as multiplying it with this many output channels.
constexpr int64_t kAmxGatherChannels = 32;
// AVX-512: gathering a kernel row of a pixel takes about as long as this many of its lines for 16 output channels.
constexpr int64_t kVnniGatherLines = 8;

// Padding pays where it costs less than the gathering that it saves.
int64_t chooseKernelRowK(const ConvWeightShape& shape, int64_t blockSize, Isa isa) {
  const int64_t tight = shape.kernelW * shape.groupChannels;
  const int64_t padded = roundUp(tight, kBlockK);
  if (blockSize > 0 || shape.groups > 1 || shape.kernelH == 1) return tight;
  if (isa == Isa::amxInt8) {
    const int64_t tightBlocks = ceilDiv(tight * shape.kernelH, kBlockK);
    const int64_t extraBlocks = padded / kBlockK * shape.kernelH - tightBlocks;
    return extraBlocks * shape.outChannels <= tightBlocks * kAmxGatherChannels ? padded : tight;
  }
  if (isa == Isa::avx512vnni) {
    const int64_t extraLines = ceilDiv(tight, kTaps) * shape.kernelH - ceilDiv(tight * shape.kernelH, kTaps);
    return extraLines * ceilDiv(shape.outChannels, kPanel) <= kVnniGatherLines * shape.kernelH ? padded : tight;
  }
  return tight;
}

// One group's codes with each kernel row padded to kernelRowK.
std::vector<int8_t> padKernelRows(const int8_t* codes, const ConvWeightShape& shape, int64_t kernelRowK) {
  const int64_t row = shape.kernelW * shape.groupChannels;
  const int64_t count = shape.groupOutChannels() * shape.kernelH;
  std::vector<int8_t> padded(static_cast<size_t>(count * kernelRowK), 0);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(padded.data() + i * kernelRowK, codes + i * row, static_cast<size_t>(row));
  }
  return padded;
}

void packGroups(const int8_t* codes, const float* scales, Isa isa, int kGroup, PackedConv* out) {
  const ConvWeightShape& shape = out->shape;
  const int64_t channels = shape.groupOutChannels();
  const int64_t scaleGroups = out->blockSize > 0 ? ceilDiv(shape.k(), out->blockSize) : 1;
  out->kernelRowK = chooseKernelRowK(shape, out->blockSize, isa);
  out->groups.resize(static_cast<size_t>(shape.groups));
  std::vector<float> groupScales(static_cast<size_t>(scaleGroups * channels), 1.0f);
  for (int64_t g = 0; g < shape.groups; ++g) {
    for (int64_t s = 0; scales && s < scaleGroups; ++s) {
      std::copy_n(scales + s * shape.outChannels + g * channels, channels, groupScales.data() + s * channels);
    }
    const std::vector<int8_t> padded = padKernelRows(codes + g * channels * shape.k(), shape, out->kernelRowK);
    packMatrix(padded.data(), groupScales.data(), channels, out->kernelRowK * shape.kernelH, out->bits, out->storage,
               out->blockSize, kGroup, &out->groups[static_cast<size_t>(g)]);
    if (const int64_t row = shape.kernelW * shape.groupChannels; out->kernelRowK != row) {
      PackedMatrix& m = out->groups[static_cast<size_t>(g)];
      m.runs.step = out->kernelRowK / kBlockK;
      m.runs.groups = ceilDiv(row, int64_t{kGroup});
    }
  }
}

// The sums of every tap's codes.
void sumTaps(const int8_t* codes, PackedConv* out) {
  const ConvWeightShape& shape = out->shape;
  const int64_t taps = shape.kernelH * shape.kernelW;
  const int64_t channels = shape.groupOutChannels();
  const int64_t padded = out->groups[0].paddedN();
  out->tapSums = AlignedBuffer<int32_t>(static_cast<size_t>(shape.groups * taps * padded));
  for (int64_t channel = 0; channel < shape.outChannels; ++channel) {
    int32_t* sum = out->tapSums.data() + channel / channels * taps * padded + channel % channels;
    for (int64_t tap = 0; tap < taps; ++tap, sum += padded) {
      for (int64_t i = 0; i < shape.groupChannels; ++i) *sum += *codes++;
    }
  }
}

int64_t depthwiseOffset(const PackedConv& conv, int64_t shift, int64_t channel, int64_t kh, int64_t kw) {
  const PackedDepthwise& d = conv.depthwise;
  const int64_t slot = kh + shift;
  const int64_t column = (slot / kTaps) * conv.shape.kernelW + kw;
  return shift * d.shiftBytes(conv.shape.kernelW) + (column * d.paddedChannels + channel) * kTaps + slot % kTaps;
}

void packDepthwise(const int8_t* codes, const float* scales, PackedConv* out) {
  const ConvWeightShape& shape = out->shape;
  PackedDepthwise& d = out->depthwise;
  out->storage = WeightStorage::int8;
  d.paddedChannels = roundUp(shape.outChannels, kPanel);
  d.rowGroups = ceilDiv(shape.kernelH + kShifts - 1, kTaps);
  d.data = AlignedBuffer<int8_t>(static_cast<size_t>(kShifts * d.shiftBytes(shape.kernelW)));
  d.scales = AlignedBuffer<float>(static_cast<size_t>(d.paddedChannels));
  d.sums = AlignedBuffer<int32_t>(static_cast<size_t>(d.paddedChannels));
  for (int64_t channel = 0; channel < shape.outChannels; ++channel) {
    const size_t c = static_cast<size_t>(channel);
    d.scales[c] = scales ? scales[channel] : 1.0f;
    for (int64_t k = 0; k < shape.k(); ++k) {
      const int8_t code = codes[channel * shape.k() + k];
      d.sums[c] += code;
      for (int64_t shift = 0; shift < kShifts; ++shift) {
        const int64_t at = depthwiseOffset(*out, shift, channel, k / shape.kernelW, k % shape.kernelW);
        d.data[static_cast<size_t>(at)] = code;
      }
    }
  }
}

}  // namespace

void packConv(const int8_t* codes, const float* scales, const ConvWeightShape& shape, int bits, WeightStorage storage,
              int64_t blockSize, Isa isa, int kGroup, PackedConv* out) {
  out->shape = shape;
  out->bits = bits;
  out->storage = storage;
  out->blockSize = blockSize;
  if (shape.groups > 1 && shape.groupChannels == 1 && blockSize == 0) {
    packDepthwise(codes, scales, out);
  } else {
    packGroups(codes, scales, isa, kGroup, out);
    if (blockSize == 0 && out->kernelRowK % kBlockK == 0) sumTaps(codes, out);
  }
}

KRuns tapRuns(const PackedConv& conv, const Taps& taps) {
  const int64_t rowBlocks = conv.kernelRowK / kBlockK;
  const int64_t tapBlocks = conv.shape.groupChannels / kBlockK;
  const int64_t columns = taps.columns.size();
  if (columns <= 0) return {};
  const PackedMatrix& m = conv.groups[0];
  return {taps.rows.begin * rowBlocks + taps.columns.begin * tapBlocks, taps.rows.end * rowBlocks, rowBlocks,
          ceilDiv(columns * conv.shape.groupChannels, int64_t{m.kGroup})};
}

void sumTaps(const PackedConv& conv, int64_t group, const Taps& taps, int32_t* sums) {
  const ConvWeightShape& shape = conv.shape;
  const int64_t padded = conv.groups[0].paddedN();
  std::fill_n(sums, padded, 0);
  for (int64_t row = taps.rows.begin; row < taps.rows.end; ++row) {
    for (int64_t column = taps.columns.begin; column < taps.columns.end; ++column) {
      const int64_t tap = (group * shape.kernelH + row) * shape.kernelW + column;
      const int32_t* from = conv.tapSums.data() + tap * padded;
      for (int64_t i = 0; i < padded; ++i) sums[i] += from[i];
    }
  }
}

int8_t packedConvCode(const PackedConv& conv, int64_t outChannel, int64_t k) {
  const ConvWeightShape& shape = conv.shape;
  if (conv.isDepthwise()) {
    const int64_t at = depthwiseOffset(conv, 0, outChannel, k / shape.kernelW, k % shape.kernelW);
    return conv.depthwise.data[static_cast<size_t>(at)];
  }
  const int64_t row = shape.kernelW * shape.groupChannels;
  const PackedMatrix& m = conv.groups[static_cast<size_t>(outChannel / shape.groupOutChannels())];
  return packedCode(m, outChannel % shape.groupOutChannels(), k / row * conv.kernelRowK + k % row);
}

float packedConvScale(const PackedConv& conv, int64_t outChannel, int64_t k) {
  if (conv.isDepthwise()) return conv.depthwise.scales[static_cast<size_t>(outChannel)];
  const int64_t channels = conv.shape.groupOutChannels();
  const PackedMatrix& m = conv.groups[static_cast<size_t>(outChannel / channels)];
  const int64_t g = conv.blockSize > 0 ? k / conv.blockSize : 0;
  return m.scales[static_cast<size_t>(g * m.paddedN() + outChannel % channels)];
}

}  // namespace faultline
