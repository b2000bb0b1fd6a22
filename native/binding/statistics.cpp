// Statistics of activations, sample by sample.
#include "float/statistics.h"

#include "binding/args.h"
#include "binding/float_operations.h"

namespace faultline::binding {
namespace {

constexpr int kMostElements = 1 << 30;

// (samples, places, channels, x, out)
Napi::Value sampleStatisticsBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "sampleStatistics");
  const int64_t samples = args.integer(0, "samples", 1, kMostElements);
  const int64_t places = args.integer(1, "places", 1, kMostElements);
  const int64_t channels = args.integer(2, "channels", 1, kMostElements);
  const auto x = args.array<const float>(3, "x", static_cast<size_t>(samples * places * channels));
  constexpr auto kNumbers = static_cast<int64_t>(SampleStatistic::count);
  const auto out = args.array<float>(4, "out", static_cast<size_t>(samples * kNumbers));
  sampleStatistics(samples, places, channels, x.data, out.data);
  return args.env().Undefined();
}

// (samples, h, w, c, gridH, gridW, x, y)
Napi::Value adaptiveAveragePoolBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "adaptiveAveragePool");
  int64_t f[6];
  const char* names[] = {"samples", "h", "w", "c", "gridH", "gridW"};
  for (size_t i = 0; i < 6; ++i) f[i] = args.integer(i, names[i], 1, kMostElements);
  const auto x = args.array<const float>(6, "x", static_cast<size_t>(f[0] * f[1] * f[2] * f[3]));
  const auto y = args.array<float>(7, "y", static_cast<size_t>(f[0] * f[4] * f[5] * f[3]));
  adaptiveAveragePool(f[0], f[1], f[2], f[3], f[4], f[5], x.data, y.data);
  return args.env().Undefined();
}

}  // namespace

void defineStatistics(Napi::Object exports) {
  addFunction<sampleStatisticsBinding>(exports, "sampleStatistics");
  addFunction<adaptiveAveragePoolBinding>(exports, "adaptiveAveragePool");
}

}  // namespace faultline::binding
