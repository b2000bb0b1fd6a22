// A convolution's geometry, and samples quantized into padded images that its kernels read in place.
//
//   image[row][column][channel] u8, `rowBytes` a row: the part of the padded sample that windows reach, padding being
//   the zero point; or the sample itself, for kernels that leave out taps in the padding. The sample begins at row
//   `top` and column `left`.
#pragma once

#include <cstdint>

#include "ops/conv2d.h"
#include "quant/affine.h"

namespace faultline {

// Bytes that may be read past the last image: kernels load 64 at a time, of up to 16 rows.
inline constexpr int64_t kImageSlack = kRowBlock * kBlockK;

struct ConvGeometry {
  explicit ConvGeometry(const Conv2dDynamicArgs& args);

  // Makes images without padding above and below, and if `columns` at the sides, an odd number of cache lines apart:
  // kernels read them side by side, and so they spread over the sets of the first-level cache.
  void leaveOutPadding(bool columns);

  // The sample, [h, w, c]. A 1×1 convolution with stride 1 and without padding sees it as one row of h · w pixels.
  int64_t h, w, c;
  int64_t outH, outW, outC;
  int64_t kernelH, kernelW;
  Conv2dWindow window;
  bool flat;  // images are stacked without gaps, and the pixels of a batch form one long row

  bool depthwise;  // quantizes rows when its windows reach them, and has no images
  int64_t repeat;  // image channels per sample channel: the depthwise multiplier
  int64_t top, left;
  int64_t imageH, imageW, imageC;
  int64_t rowBytes;
  int64_t imageBytes;  // from one image of a batch to the next

  int64_t sampleFloats() const { return h * w * c; }
  int64_t outPixels() const { return outH * outW; }
};

// Consecutive samples and their images. Memory is the scratch of the thread that makes the batch.
struct ImageBatch {
  ImageBatch(const ConvGeometry& geometry, int64_t capacity);

  const ConvGeometry& geometry;
  int64_t first = 0;  // sample
  int64_t count = 0;
  uint8_t* images;
  AffineParams* params;  // [count]

  const uint8_t* image(int64_t i) const { return images + i * geometry.imageBytes; }
  // Quantizes x [h, w, c], sample i of the batch, into image rows [begin, end), with params[i].
  void quantize(const float* x, int64_t i, int64_t begin, int64_t end);
};

}  // namespace faultline
