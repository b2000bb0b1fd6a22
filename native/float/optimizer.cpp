#include "float/optimizer.h"

#include <cmath>
#include <vector>

#include "float/vectorize.h"

namespace faultline {
namespace {

FAULTLINE_VECTORIZED void sgdRange(SgdArgs a, int64_t count, float decay, const float* __restrict g,
                                   float* __restrict m, float* __restrict p) {
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = a.factor * g[i] + decay * p[i];
    m[i] = a.momentum * m[i] + gradient;
    p[i] -= a.rate * (a.nesterov ? gradient + a.momentum * m[i] : m[i]);
  }
}

FAULTLINE_VECTORIZED void adamRange(AdamArgs a, float rate, float inverseRootC2, int64_t count, float decay,
                                    const float* __restrict g, float* __restrict m, float* __restrict v,
                                    float* __restrict p) {
  const float keep1 = 1.f - a.beta1, keep2 = 1.f - a.beta2;
  for (int64_t i = 0; i < count; ++i) {
    const float pull = decay * p[i];
    const float gradient = a.factor * g[i] + (a.decoupled ? 0.f : pull);
    m[i] = a.beta1 * m[i] + keep1 * gradient;
    v[i] = a.beta2 * v[i] + keep2 * (gradient * gradient);
    p[i] -= rate * m[i] / (std::sqrt(v[i]) * inverseRootC2 + a.epsilon) + (a.decoupled ? a.rate * pull : 0.f);
  }
}

FAULTLINE_VECTORIZED void averageRange(float keep, int64_t count, const float* __restrict p,
                                       float* __restrict average) {
  for (int64_t i = 0; i < count; ++i) average[i] += keep * (p[i] - average[i]);
}

FAULTLINE_VECTORIZED double squareSum(int64_t count, const float* __restrict g) {
  constexpr int64_t kSums = 32;  // enough to hide an addition's latency
  double sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int64_t j = 0; j < kSums; ++j) sums[j] += static_cast<double>(g[i + j]) * g[i + j];
  }
  for (; i < count; ++i) sums[i % kSums] += static_cast<double>(g[i]) * g[i];
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

// fn(begin, end, factor) over all parameters, in pieces of one decay each.
template <typename Fn>
void inRuns(int64_t count, const Decay& decay, Fn&& fn) {
  inPieces(count, kPiece, 1, [&](int64_t begin, int64_t end) {
    int64_t run = 0;
    while (decay.ends[run] <= begin) ++run;
    for (int64_t at = begin; at < end; ++run) {
      const int64_t until = std::min<int64_t>(end, decay.ends[run]);
      fn(at, until, decay.factors[run]);
      at = until;
    }
  });
}

}  // namespace

double norm(int64_t count, const float* g) {
  std::vector<double> squares(static_cast<size_t>((count + kPiece - 1) / kPiece));
  inPieces(count, kPiece, 1, [&](int64_t begin, int64_t end) {
    squares[static_cast<size_t>(begin / kPiece)] = squareSum(end - begin, g + begin);
  });
  double total = 0;
  for (const double square : squares) total += square;
  return std::sqrt(total);
}

void sgdStep(const SgdArgs& a, int64_t count, const Decay& decay, const float* gradient, float* m, float* p) {
  inRuns(count, decay, [&](int64_t begin, int64_t end, float factor) {
    sgdRange(a, end - begin, factor, gradient + begin, m + begin, p + begin);
  });
}

void adamStep(const AdamArgs& a, int64_t count, const Decay& decay, const float* gradient, float* m, float* v,
              float* p) {
  const double c1 = 1 - std::pow(static_cast<double>(a.beta1), a.step);
  const double c2 = 1 - std::pow(static_cast<double>(a.beta2), a.step);
  const float rate = static_cast<float>(a.rate / c1), inverse = static_cast<float>(1 / std::sqrt(c2));
  inRuns(count, decay, [&](int64_t begin, int64_t end, float factor) {
    adamRange(a, rate, inverse, end - begin, factor, gradient + begin, m + begin, v + begin, p + begin);
  });
}

void averageStep(float decay, int64_t count, const float* p, float* average) {
  inPieces(count, kPiece, 1,
           [&](int64_t begin, int64_t end) { averageRange(1.f - decay, end - begin, p + begin, average + begin); });
}

}  // namespace faultline
