#include "ops/conv_image.h"

#include <algorithm>
#include <cstring>

#include "dispatch/dispatch.h"

namespace faultline {
namespace {

struct Images;
struct Params;

// Whether some window of the output reads this image row.
bool reached(const ConvGeometry& g, int64_t row) {
  for (int64_t kh = 0; kh < g.kernelH; ++kh) {
    const int64_t first = row + g.window.padTop - g.top - kh * g.window.dilationH;
    if (first < 0) return false;
    if (first % g.window.strideH == 0 && first / g.window.strideH < g.outH) return true;
  }
  return false;
}

}  // namespace

ConvGeometry::ConvGeometry(const Conv2dDynamicArgs& args) : h(args.h), w(args.w), c(args.c), window(args.window) {
  const ConvWeightShape& weights = args.weights->shape;
  const Conv2dWindow& v = window;
  kernelH = weights.kernelH;
  kernelW = weights.kernelW;
  outC = weights.outChannels;
  depthwise = args.weights->isDepthwise();
  repeat = depthwise ? weights.groupOutChannels() : 1;
  const bool unpadded = v.padTop == 0 && v.padLeft == 0 && v.padBottom == 0 && v.padRight == 0;
  flat = kernelH == 1 && kernelW == 1 && v.strideH == 1 && v.strideW == 1 && unpadded && !depthwise;
  if (flat) {
    w *= h;
    h = 1;
  }
  outH = windowOutputs(h, kernelH, v.strideH, v.dilationH, v.padTop, v.padBottom);
  outW = windowOutputs(w, kernelW, v.strideW, v.dilationW, v.padLeft, v.padRight);
  top = v.padTop;
  left = v.padLeft;
  imageH = (outH - 1) * v.strideH + (kernelH - 1) * v.dilationH + 1;
  imageW = (outW - 1) * v.strideW + (kernelW - 1) * v.dilationW + 1;
  imageC = c * repeat;
  rowBytes = imageW * imageC;
  imageBytes = flat ? rowBytes : roundUp(imageH * rowBytes, int64_t{kAlignment});
}

void ConvGeometry::leaveOutPadding(bool columns) {
  top = 0;
  imageH = h;
  if (columns) {
    left = 0;
    imageW = w;
  }
  rowBytes = imageW * imageC;
  imageBytes = roundUp(imageH * rowBytes, int64_t{kAlignment}) | int64_t{kAlignment};
}

ImageBatch::ImageBatch(const ConvGeometry& g, int64_t capacity) : geometry(g) {
  const int64_t bytes = g.depthwise ? 0 : capacity * g.imageBytes;
  images = scratch<Images, uint8_t>(static_cast<size_t>(bytes + kImageSlack));
  params = scratch<Params, AffineParams>(static_cast<size_t>(capacity));
}

void ImageBatch::quantize(const float* x, int64_t i, int64_t begin, int64_t end) {
  const ConvGeometry& g = geometry;
  const KernelTable& table = kernels();
  const AffineParams& p = params[i];
  const size_t padLeft = static_cast<size_t>(std::min(g.left, g.imageW) * g.imageC);
  const int64_t columns = std::clamp<int64_t>(g.imageW - g.left, 0, g.w);
  const size_t inside = static_cast<size_t>(columns * g.imageC);
  const size_t padRight = static_cast<size_t>(g.rowBytes) - padLeft - inside;
  for (int64_t row = begin; row < end; ++row) {
    if (!reached(g, row)) continue;
    uint8_t* to = images + i * g.imageBytes + row * g.rowBytes;
    const int64_t from = row - g.top;
    if (from < 0 || from >= g.h) {
      std::memset(to, p.zeroPoint, static_cast<size_t>(g.rowBytes));
      continue;
    }
    const float* xRow = x + from * g.w * g.c;
    if (padLeft) std::memset(to, p.zeroPoint, padLeft);
    if (padRight) std::memset(to + padLeft + inside, p.zeroPoint, padRight);
    table.quantizeRow(xRow, columns * g.c, p, to + padLeft, kBlockK);
  }
}

}  // namespace faultline
