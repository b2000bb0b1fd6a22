// Statistics of activations, sample by sample.
#include "float/statistics.h"

#include "binding/args.h"
#include "binding/float_operations.h"

namespace faultline::binding {
namespace {

constexpr int kMostElements = 1 << 30;

// (samples, places, channels, x, out)
Napi::Value sampleStatisticsBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kSamples, kPlaces, kChannels, kX, kOut };
  const Args args(info, "sampleStatistics");
  const int64_t samples = args.integer(kSamples, "samples", 1, kMostElements);
  const int64_t places = args.integer(kPlaces, "places", 1, kMostElements);
  const int64_t channels = args.integer(kChannels, "channels", 1, kMostElements);
  const auto x = args.array<const float>(kX, "x", args.elements("x", {samples, places, channels}));
  constexpr auto kNumbers = static_cast<int64_t>(SampleStatistic::count);
  const auto out = args.array<float>(kOut, "out", args.elements("out", {samples, kNumbers}));
  sampleStatistics(samples, places, channels, x.data, out.data);
  return args.env().Undefined();
}

// (samples, h, w, c, gridH, gridW, x, y)
Napi::Value adaptiveAveragePoolBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "adaptiveAveragePool");
  enum : size_t { kSamples, kH, kW, kC, kGridH, kGridW, kX, kY };
  const auto size = [&](size_t i, const char* name) { return args.integer(i, name, 1, kMostElements); };
  const int64_t samples = size(kSamples, "samples"), h = size(kH, "h"), w = size(kW, "w"), c = size(kC, "c");
  const int64_t gridH = size(kGridH, "gridH"), gridW = size(kGridW, "gridW");
  const auto x = args.array<const float>(kX, "x", args.elements("x", {samples, h, w, c}));
  const auto y = args.array<float>(kY, "y", args.elements("y", {samples, gridH, gridW, c}));
  adaptiveAveragePool(samples, h, w, c, gridH, gridW, x.data, y.data);
  return args.env().Undefined();
}

}  // namespace

void defineStatistics(Napi::Object exports) {
  addFunction<sampleStatisticsBinding>(exports, "sampleStatistics");
  addFunction<adaptiveAveragePoolBinding>(exports, "adaptiveAveragePool");
}

}  // namespace faultline::binding
