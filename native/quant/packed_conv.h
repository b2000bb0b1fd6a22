// Weights of a convolution, quantized and laid out for the kernels. W[OC, KH, KW, C / groups], output channel slowest.
//
// A convolution is one packed matrix a group, [OC / groups, K]. K runs over the kernel rows, each kernelRowK positions
// long: KW · C / groups weights in their natural order, then zeros. Without those zeros K is as short as can be; with
// them (kernelRowK a multiple of 64) every block of 64 stays inside one kernel row and can be read straight from the
// padded image. AMX, where gathering 64 bytes costs as much as multiplying them with 16 channels, justifies some zeros,
// and AVX-512 skips most of them.
//
// Where kernel rows, or even single taps, are whole blocks, a product may leave out those that lie in the padding; the
// sums of each tap's codes then give the zero point's share of what is left.
//
// A depthwise convolution (one input channel a group) is one dot product of KH · KW taps a channel:
//
//   data[shift][rowGroup][kw][channel][4]: tap (4 · rowGroup + i − shift, kw) at byte i, shift 0 and 1
//
// See DepthwiseCall in kernels/kernel.h.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cpu.h"
#include "quant/packed_matrix.h"

namespace faultline {

struct ConvWeightShape {
  int64_t outChannels = 0;
  int64_t kernelH = 0;
  int64_t kernelW = 0;
  int64_t groupChannels = 0;  // C / groups
  int64_t groups = 1;

  int64_t k() const { return kernelH * kernelW * groupChannels; }
  int64_t groupOutChannels() const { return outChannels / groups; }
  int64_t inChannels() const { return groupChannels * groups; }
};

struct PackedDepthwise {
  int64_t paddedChannels = 0;
  int64_t rowGroups = 0;
  AlignedBuffer<int8_t> data;
  AlignedBuffer<float> scales;  // [paddedChannels]
  AlignedBuffer<int32_t> sums;  // [paddedChannels]

  int64_t shiftBytes(int64_t kernelW) const { return rowGroups * kernelW * paddedChannels * 4; }
};

struct PackedConv {
  ConvWeightShape shape;
  int bits = 8;
  WeightStorage storage = WeightStorage::int8;
  int64_t blockSize = 0;
  int64_t kernelRowK = 0;
  std::vector<PackedMatrix> groups;  // empty for a depthwise convolution
  AlignedBuffer<int32_t> tapSums;    // [groups][KH][KW][panels · 16]; empty where no tap can be left out
  PackedDepthwise depthwise;

  bool isDepthwise() const { return groups.empty(); }
  bool tapsAlign() const { return shape.groupChannels % kBlockK == 0; }  // every tap begins a k-block
  int64_t panelsPerGroup() const { return groups.empty() ? 0 : groups[0].panels; }
};

// Packs codes[OC, K] with scales[scaleGroups, OC] (null: all 1), as packMatrix does, for the kernels of `isa`.
// A depthwise convolution without blockSize has a separate layout, and int8 storage whatever `storage` says.
void packConv(const int8_t* codes, const float* scales, const ConvWeightShape& shape, int bits, WeightStorage storage,
              int64_t blockSize, Isa isa, int kGroup, PackedConv* out);

// A rectangle of a window: kernel rows and columns.
struct TapRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end > begin ? end - begin : 0; }
  // Written out: CUDA reads this as C++17.
  bool operator==(const TapRange& other) const { return begin == other.begin && end == other.end; }
};
struct Taps {
  TapRange rows;
  TapRange columns;
};
// The part of K that these taps are, and the sums of their codes in a group, [panels · 16]. For convolutions that have
// tapSums; with all columns unless tapsAlign().
KRuns tapRuns(const PackedConv& conv, const Taps& taps);
void sumTaps(const PackedConv& conv, int64_t group, const Taps& taps, int32_t* sums);

// The code of weight k (natural order) of an output channel, read back from the packed layout.
int8_t packedConvCode(const PackedConv& conv, int64_t outChannel, int64_t k);

// The scale of that weight.
float packedConvScale(const PackedConv& conv, int64_t outChannel, int64_t k);

}  // namespace faultline
