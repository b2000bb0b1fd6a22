// One step of an optimizer over all parameters of a network, which lie in one array: [count] values, gradients, state.
#pragma once

#include <cstdint>

namespace faultline {

// Weight decay, the same for whole runs of parameters: factors[i] from ends[i − 1] (0 at first) to ends[i], ascending,
// the last one the count.
struct Decay {
  const float* factors;
  const int32_t* ends;
};

// √(Σ g²), in float64.
double norm(int64_t count, const float* g);

// Stochastic gradient descent, as PyTorch's SGD computes it:
//   g = factor · gradient + decay · p;  m = momentum · m + g;  p −= rate · (nesterov ? g + momentum · m : m)
struct SgdArgs {
  float rate, momentum;
  bool nesterov;
  float factor;  // of the gradient: below 1 where it is clipped
};
void sgdStep(const SgdArgs& args, int64_t count, const Decay& decay, const float* gradient, float* m, float* p);

// Adam (Kingma & Ba, arXiv 1412.6980); with `decoupled` AdamW (Loshchilov & Hutter, arXiv 1711.05101):
//   g = factor · gradient (+ decay · p, or p −= rate · decay · p when decoupled)
//   m = b1 · m + (1 − b1) · g;  v = b2 · v + (1 − b2) · g²;  p −= rate · (m / c1) / (√(v / c2) + epsilon), c = 1 −
//   b^step
struct AdamArgs {
  float rate, beta1, beta2, epsilon;
  bool decoupled;
  float factor;
  double step;  // counts from 1
};
void adamStep(const AdamArgs& args, int64_t count, const Decay& decay, const float* gradient, float* m, float* v,
              float* p);

// average += (1 − decay) · (p − average)
void averageStep(float decay, int64_t count, const float* p, float* average);

}  // namespace faultline
