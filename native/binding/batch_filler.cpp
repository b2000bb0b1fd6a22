#include "binding/batch_filler.h"

#include <system_error>

#include "image/batch.h"

namespace faultline::binding {
namespace {

// Products of these fit in 63 bits.
constexpr int64_t kMostImages = int64_t{1} << 24;
constexpr int64_t kMostSide = int64_t{1} << 14;
constexpr int64_t kMostChannels = 64;
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
//  indices: Int32Array, placement: Int32Array [count, 5]?, hole, inputs: Float32Array). Until wait() returns none of
//  the arrays may change.
void BatchFillerHandle::start(const Napi::CallbackInfo& info) {
  enum : size_t { kCount, kHeight, kWidth, kChannels, kPixels, kTable, kIndices, kPlacement, kHole, kInputs };
  const Args args(info, "BatchFiller");
  if (filling_.valid()) args.refuse("this", "a filler that nothing occupies", "one at work");
  image::BatchArgs a{};
  a.count = args.integer(kCount, "count", 0, kMostImages);
  a.size = {args.integer(kHeight, "height", 1, kMostSide), args.integer(kWidth, "width", 1, kMostSide),
            args.integer(kChannels, "channels", 1, kMostChannels)};
  const auto values = static_cast<size_t>(a.size.values());
  const auto count = static_cast<size_t>(a.count);
  size_t length = 0;
  if (args.isArrayOf<uint8_t>(kPixels)) {
    const auto pixels = args.array<const uint8_t>(kPixels, "pixels", 0);
    a.bytes = pixels.data;
    length = pixels.length;
    a.table = args.array<const float>(kTable, "table", static_cast<size_t>(a.size.c) * 256).data;
  } else {
    const auto pixels = args.array<const float>(kPixels, "pixels", 0);
    a.floats = pixels.data;
    length = pixels.length;
  }
  a.indices = args.array<const int32_t>(kIndices, "indices", count).data;
  for (size_t i = 0; i < count; ++i) {
    if (a.indices[i] < 0 || static_cast<size_t>(a.indices[i]) >= length / values) {
      args.refuse("indices", "places of images", std::to_string(a.indices[i]));
    }
  }
  const auto placement = args.optionalArray<const int32_t>(kPlacement, "placement", count * kPlacementFields);
  for (size_t i = 0; placement.data && i < count * kPlacementFields; ++i) {
    if (placement.data[i] < -kFarthest || placement.data[i] > kFarthest) {
      args.refuse("placement", "shifts within an image's reach", std::to_string(placement.data[i]));
    }
  }
  a.placement = reinterpret_cast<const image::Placement*>(placement.data);
  a.hole = args.integer(kHole, "hole", 0, kFarthest);
  a.inputs = args.array<float>(kInputs, "inputs", count * values).data;
  for (const size_t i : {kPixels, kTable, kIndices, kPlacement, kInputs}) {
    if (!args.absent(i)) used_.push_back(Napi::Persistent(args.at(i).As<Napi::Object>()));
  }
  try {
    filling_ = std::async(std::launch::async, image::fillBatch, a);
  } catch (const std::system_error&) {  // no thread to be had: wait() does it
    filling_ = std::async(std::launch::deferred, image::fillBatch, a);
  }
}

void BatchFillerHandle::wait(const Napi::CallbackInfo&) {
  if (filling_.valid()) filling_.get();
  used_.clear();
}

}  // namespace faultline::binding
