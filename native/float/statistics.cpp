#include "float/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "float/vectorize.h"

namespace faultline {
namespace {

// Sums over the places of a sample, one for each channel: float32, as a sample has at most some thousand places.
struct ChannelSums {
  std::vector<float> sum, squares, zeros, most, least;

  explicit ChannelSums(int64_t channels)
      : sum(static_cast<size_t>(channels)), squares(sum), zeros(sum), most(sum), least(sum) {}

  void clear() {
    for (auto* values : {&sum, &squares, &zeros}) std::fill(values->begin(), values->end(), 0.f);
    std::fill(most.begin(), most.end(), -std::numeric_limits<float>::infinity());
    std::fill(least.begin(), least.end(), std::numeric_limits<float>::infinity());
  }
};

FAULTLINE_VECTORIZED void addPlaces(int64_t places, int64_t channels, const float* __restrict x, float* __restrict sum,
                                    float* __restrict squares, float* __restrict zeros, float* __restrict most,
                                    float* __restrict least) {
  for (int64_t p = 0; p < places; ++p, x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const float value = x[c];
      sum[c] += value;
      squares[c] += value * value;
      zeros[c] += value == 0.f ? 1.f : 0.f;
      most[c] = value > most[c] ? value : most[c];
      least[c] = value < least[c] ? value : least[c];
    }
  }
}

double deviationOf(double squares, double sum, double count) {
  const double mean = sum / count;
  return std::sqrt(std::max(0., squares / count - mean * mean));
}

void finish(const ChannelSums& s, int64_t places, int64_t channels, float* out) {
  double sum = 0, squares = 0, zeros = 0, peaks = 0, peakSquares = 0;
  float most = -std::numeric_limits<float>::infinity(), least = std::numeric_limits<float>::infinity();
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    sum += s.sum[c];
    squares += s.squares[c];
    zeros += s.zeros[c];
    most = std::max(most, s.most[c]);
    least = std::min(least, s.least[c]);
    const double peak = std::max(s.most[c], -s.least[c]);
    peaks += peak;
    peakSquares += peak * peak;
  }
  const double count = static_cast<double>(places) * static_cast<double>(channels);
  const auto set = [&](SampleStatistic at, double value) { out[static_cast<int>(at)] = static_cast<float>(value); };
  set(SampleStatistic::largest, most);
  set(SampleStatistic::smallest, least);
  set(SampleStatistic::mean, sum / count);
  set(SampleStatistic::deviation, deviationOf(squares, sum, count));
  set(SampleStatistic::rootMeanSquare, std::sqrt(squares / count));
  set(SampleStatistic::zeroShare, zeros / count);
  set(SampleStatistic::channelPeakMean, peaks / static_cast<double>(channels));
  set(SampleStatistic::channelPeakDeviation, deviationOf(peakSquares, peaks, static_cast<double>(channels)));
}

FAULTLINE_VECTORIZED void addRow(int64_t channels, const float* __restrict x, float* __restrict y) {
  for (int64_t c = 0; c < channels; ++c) y[c] += x[c];
}

}  // namespace

void sampleStatistics(int64_t samples, int64_t places, int64_t channels, const float* x, float* out) {
  const int64_t size = places * channels;
  inPieces(samples, std::max<int64_t>(1, kPiece / size), size, [&](int64_t begin, int64_t end) {
    ChannelSums sums(channels);
    for (int64_t s = begin; s < end; ++s) {
      sums.clear();
      addPlaces(places, channels, x + s * size, sums.sum.data(), sums.squares.data(), sums.zeros.data(),
                sums.most.data(), sums.least.data());
      finish(sums, places, channels, out + s * static_cast<int64_t>(SampleStatistic::count));
    }
  });
}

void adaptiveAveragePool(int64_t samples, int64_t h, int64_t w, int64_t c, int64_t gridH, int64_t gridW, const float* x,
                         float* y) {
  const int64_t size = h * w * c;
  inPieces(samples, std::max<int64_t>(1, kPiece / size), size, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      const float* from = x + s * size;
      float* to = y + s * gridH * gridW * c;
      for (int64_t i = 0; i < gridH; ++i) {
        const int64_t top = i * h / gridH, bottom = ((i + 1) * h + gridH - 1) / gridH;
        for (int64_t j = 0; j < gridW; ++j, to += c) {
          const int64_t left = j * w / gridW, right = ((j + 1) * w + gridW - 1) / gridW;
          std::fill_n(to, c, 0.f);
          for (int64_t row = top; row < bottom; ++row) {
            for (int64_t column = left; column < right; ++column) addRow(c, from + (row * w + column) * c, to);
          }
          const float share = 1.f / static_cast<float>((bottom - top) * (right - left));
          for (int64_t k = 0; k < c; ++k) to[k] *= share;
        }
      }
    }
  });
}

}  // namespace faultline
