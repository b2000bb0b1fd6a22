#include "binding/batch_filler.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "image/batch.h"

namespace faultline::binding {
namespace {

// Rows of samples may be long, spectra deep; Args::elements bounds their product.
constexpr int64_t kMostImages = int64_t{1} << 24;
constexpr int64_t kMostSide = int64_t{1} << 31;
constexpr int64_t kMostChannels = int64_t{1} << 16;
constexpr auto kPlacementFields = static_cast<size_t>(image::PlacementField::count);
// Farther than any image reaches: sums of it cannot overflow.
constexpr int32_t kFarthest = 1 << 20;

}  // namespace

Napi::Function BatchFillerHandle::define(Napi::Env env) {
  return DefineClass(
      env, "BatchFiller",
      {InstanceMethod("start", &BatchFillerHandle::start), InstanceMethod("wait", &BatchFillerHandle::wait)});
}

BatchFillerHandle::~BatchFillerHandle() {
  if (filling_.valid()) filling_.wait();
}

// (count, height, width, channels, pixels: Uint8Array or Float32Array, table: Float32Array [channels · 256]?,
//  indices: Int32Array, placement: Int32Array [count, 5]?, hole). The thread works on copies: a buffer that JavaScript
// resizes or transfers loses its memory whoever reads it.
void BatchFillerHandle::start(const Napi::CallbackInfo& info) {
  enum : size_t { kCount, kHeight, kWidth, kChannels, kPixels, kTable, kIndices, kPlacement, kHole };
  const Args args(info, "BatchFiller");
  if (filling_.valid()) args.refuse("this", "a filler that nothing occupies", "one at work");
  image::BatchArgs a{};
  a.count = args.integer(kCount, "count", 0, kMostImages);
  a.size = {args.integer(kHeight, "height", 1, kMostSide), args.integer(kWidth, "width", 1, kMostSide),
            args.integer(kChannels, "channels", 1, kMostChannels)};
  const size_t values = args.elements("size", {a.size.h, a.size.w, a.size.c});
  const size_t count = static_cast<size_t>(a.count), all = args.elements("batch", {a.count, a.size.values()});
  const std::vector<int32_t> indices = args.copy<int32_t>(kIndices, "indices", count);
  const auto gather = [&](auto pixels, auto& to) {
    for (size_t i = 0; i < count; ++i) {
      if (indices[i] < 0 || static_cast<size_t>(indices[i]) >= pixels.length / values) {
        args.refuse("indices", "places of images", std::to_string(indices[i]));
      }
    }
    to.resize(all);
    for (size_t i = 0; i < count; ++i) {
      std::copy_n(pixels.data + static_cast<size_t>(indices[i]) * values, values, to.data() + i * values);
    }
    return to.data();
  };
  if (args.isArrayOf<uint8_t>(kPixels)) {
    table_ = args.copy<float>(kTable, "table", static_cast<size_t>(a.size.c) * 256);
    a.table = table_.data();
    a.bytes = gather(args.array<const uint8_t>(kPixels, "pixels", 0), bytes_);
  } else {
    a.floats = gather(args.array<const float>(kPixels, "pixels", 0), floats_);
  }
  if (!args.absent(kPlacement)) {
    placement_ = args.copy<int32_t>(kPlacement, "placement", count * kPlacementFields);
    for (const int32_t field : placement_) {
      if (field < -kFarthest || field > kFarthest) {
        args.refuse("placement", "shifts within an image's reach", std::to_string(field));
      }
    }
    a.placement = reinterpret_cast<const image::Placement*>(placement_.data());
  }
  a.hole = args.integer(kHole, "hole", 0, kFarthest);
  inputs_.resize(all);
  a.inputs = inputs_.data();
  try {
    filling_ = std::async(std::launch::async, image::fillBatch, a);
  } catch (const std::system_error&) {  // no thread to be had: wait() does it
    filling_ = std::async(std::launch::deferred, image::fillBatch, a);
  }
}

// (inputs: Float32Array), filled with the batch that was started.
void BatchFillerHandle::wait(const Napi::CallbackInfo& info) {
  enum : size_t { kInputs };
  const Args args(info, "BatchFiller");
  if (!filling_.valid()) args.refuse("this", "a filler at work", "one that was not started");
  const auto inputs = args.array<float>(kInputs, "inputs", inputs_.size());
  filling_.get();
  std::copy(inputs_.begin(), inputs_.end(), inputs.data);
}

}  // namespace faultline::binding
