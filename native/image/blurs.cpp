// gaussian_blur, defocus_blur, glass_blur, motion_blur, zoom_blur.
#include <cmath>

#include "image/corruption.h"

namespace faultline::image {
namespace {

constexpr double kTruncate = 4;  // scikit-image's gaussian cuts there, and repeats the border's pixels

class GaussianBlur : public Corruption {
 public:
  GaussianBlur(Size size, double sigma) : Corruption(size), kernel_(gaussianKernel(sigma, kTruncate)) {}
  int64_t scratch() const override { return size_.values() + blurScratch(kernel_, size_); }
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float* scratch) const override {
    toFloats(size_.values(), in, scratch);
    blur(kernel_, Border::nearest, size_, scratch, scratch, scratch + size_.values());
    toBytes(size_.values(), scratch, out);
  }

 private:
  const Kernel kernel_;
};

// A disk on a grid of at least 17 places, its edge blurred.
class DefocusBlur : public Corruption {
 public:
  DefocusBlur(Size size, double radius, double edgeSigma) : Corruption(size) {
    constexpr int64_t kLeastReach = 8;
    reach_ = radius <= kLeastReach ? kLeastReach : static_cast<int64_t>(radius);
    const int64_t side = 2 * reach_ + 1;
    std::vector<float> disk(static_cast<size_t>(side * side));
    float count = 0;
    for (int64_t y = -reach_; y <= reach_; ++y) {
      for (int64_t x = -reach_; x <= reach_; ++x) {
        const bool covered = static_cast<double>(x * x + y * y) <= radius * radius;
        disk[static_cast<size_t>((y + reach_) * side + x + reach_)] = covered ? 1.f : 0.f;
        count += covered ? 1.f : 0.f;
      }
    }
    for (float& weight : disk) weight /= count;
    // OpenCV's GaussianBlur of 3×3, or 5×5 for a wide disk.
    const Size plane{side, side, 1};
    const int64_t cut = radius <= kLeastReach ? 1 : 2;
    const Kernel edge = gaussianKernel(edgeSigma, static_cast<double>(cut) / edgeSigma);
    std::vector<float> working(static_cast<size_t>(blurScratch(edge, plane)));
    blur(edge, Border::reflect101, plane, disk.data(), disk.data(), working.data());
    for (int64_t i = 0; i < side * side; ++i) {
      if (disk[static_cast<size_t>(i)] != 0) {
        taps_.push_back({i / side - reach_, i % side - reach_, disk[static_cast<size_t>(i)]});
      }
    }
  }
  int64_t scratch() const override { return 2 * size_.values() + correlateScratch(reach_, size_); }
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float* scratch) const override {
    float* blurred = scratch + size_.values();
    toFloats(size_.values(), in, scratch);
    correlate(taps_, reach_, Border::reflect101, size_, scratch, blurred, blurred + size_.values());
    toBytes(size_.values(), blurred, out);
  }

 private:
  int64_t reach_;
  std::vector<Tap> taps_;
};

// Blur, pixels taken from a neighbour up to `distance` away, blur. In the published program, which this follows, a
// pixel of a colour image is overwritten by its neighbour's value: the exchange that was meant works for grey images
// only.
class GlassBlur : public Corruption {
 public:
  GlassBlur(Size size, double sigma, int64_t distance, int rounds)
      : Corruption(size), kernel_(gaussianKernel(sigma, kTruncate)), distance_(distance), rounds_(rounds) {}
  int64_t scratch() const override {
    return size_.values() + std::max(blurScratch(kernel_, size_), wholeBlocks(moves()));
  }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    const auto [h, w, c] = size_;
    float* working = scratch + size_.values();
    toFloats(size_.values(), in, scratch);
    blur(kernel_, Border::nearest, size_, scratch, scratch, working);
    toBytes(size_.values(), scratch, out);
    auto* words = reinterpret_cast<uint32_t*>(working);
    for (int round = 0; round < rounds_; ++round) {
      stream.words(static_cast<uint32_t>(round), moves(), words);
      for (int64_t i = h - distance_, at = 0; i > distance_; --i) {
        for (int64_t j = w - distance_; j > distance_; --j, ++at) {
          const uint32_t word = words[at];
          const int64_t dx = offset(word & 0xffff), dy = offset(word >> 16);
          const uint8_t* from = out + ((i + dy) * w + j + dx) * c;
          uint8_t* to = out + (i * w + j) * c;
          for (int64_t k = 0; k < c; ++k) to[k] = from[k];
        }
      }
    }
    toFloats(size_.values(), out, scratch);
    blur(kernel_, Border::nearest, size_, scratch, scratch, working);
    toBytes(size_.values(), scratch, out);
  }

 private:
  int64_t moves() const {
    return std::max<int64_t>(0, size_.h - 2 * distance_) * std::max<int64_t>(0, size_.w - 2 * distance_);
  }
  // Uniform in −distance … distance − 1, from 16 random bits.
  int64_t offset(uint32_t half) const { return ((static_cast<int64_t>(half) * 2 * distance_) >> 16) - distance_; }

  const Kernel kernel_;
  const int64_t distance_;
  const int rounds_;
};

class MotionBlur : public Corruption {
 public:
  MotionBlur(Size size, double radius, double sigma) : Corruption(size), kernel_(motionKernel(radius, sigma)) {}
  int64_t scratch() const override { return 2 * size_.values(); }
  void apply(const uint8_t* in, uint8_t* out, const Stream& stream, float* scratch) const override {
    float* blurred = scratch + size_.values();
    toFloats(size_.values(), in, scratch);
    motionBlur(kernel_, stream.uniform(0, 0, -45, 45), size_, scratch, blurred);
    toBytes(size_.values(), blurred, out);
  }

 private:
  const MotionKernel kernel_;
};

// The mean of the image and of its enlargements by 1, 1 + step, … below end.
class ZoomBlur : public Corruption {
 public:
  ZoomBlur(Size size, double end, double step) : Corruption(size) {
    // numpy.arange's count and spacing, whose rounding decides whether the end itself is in.
    const auto count = static_cast<int64_t>(std::ceil((end - 1) / step));
    const double spacing = (1 + step) - 1;
    for (int64_t i = 0; i < count; ++i) {
      const double factor = 1 + static_cast<double>(i) * spacing;
      rows_.push_back(zoomAxis(size.h, factor));
      columns_.push_back(zoomAxis(size.w, factor, size.c));
    }
  }
  int64_t scratch() const override { return 2 * size_.values() + zoomScratch(size_); }
  void apply(const uint8_t* in, uint8_t* out, const Stream&, float* scratch) const override {
    float* sum = scratch + size_.values();
    toFloats(size_.values(), in, scratch);
    std::copy_n(scratch, size_.values(), sum);
    for (size_t i = 0; i < rows_.size(); ++i) {
      addZoomed(rows_[i], columns_[i], size_, scratch, sum, sum + size_.values());
    }
    const float share = 1.f / static_cast<float>(rows_.size() + 1);
    for (int64_t i = 0; i < size_.values(); ++i) sum[i] *= share;
    toBytes(size_.values(), sum, out);
  }

 private:
  std::vector<ZoomAxis> rows_, columns_;
};

}  // namespace

std::unique_ptr<Corruption> makeGaussianBlur(Size size, Constants c) {
  return std::make_unique<GaussianBlur>(size, c[0]);
}
std::unique_ptr<Corruption> makeDefocusBlur(Size size, Constants c) {
  return std::make_unique<DefocusBlur>(size, c[0], c[1]);
}
std::unique_ptr<Corruption> makeGlassBlur(Size size, Constants c) {
  return std::make_unique<GlassBlur>(size, c[0], static_cast<int64_t>(c[1]), static_cast<int>(c[2]));
}
std::unique_ptr<Corruption> makeMotionBlur(Size size, Constants c) {
  return std::make_unique<MotionBlur>(size, c[0], c[1]);
}
std::unique_ptr<Corruption> makeZoomBlur(Size size, Constants c) {
  return std::make_unique<ZoomBlur>(size, c[0], c[1]);
}

}  // namespace faultline::image
