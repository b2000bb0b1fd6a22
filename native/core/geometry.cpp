#include "core/geometry.h"

#include <algorithm>
#include <initializer_list>

namespace faultline {
namespace {

std::string list(std::initializer_list<int64_t> numbers) {
  std::string text;
  for (const int64_t number : numbers) text.append(text.empty() ? "[" : ", ").append(std::to_string(number));
  return text + "]";
}

double product(std::initializer_list<int64_t> sizes) {
  double product = 1;
  for (const int64_t size : sizes) product *= static_cast<double>(size);
  return product;
}

Status checkFields(const char* operation, const Geometry& g, const GeometryLimits& limits) {
  if (g.n < limits.leastN || std::min(g.h, g.w) < limits.leastSide || g.c < 1) {
    const std::string expected = limits.leastSide > 0 ? "a shape [N, H, W, C] without zeros past N" : "a shape";
    return Status::invalid(operation, limits.argument, expected, list({g.n, g.h, g.w, g.c}));
  }
  if (std::min(g.kernelH, g.kernelW) < 1) {
    return Status::invalid(operation, "kernel", "at least 1", list({g.kernelH, g.kernelW}));
  }
  if (std::min(g.strideH, g.strideW) < 1) {
    return Status::invalid(operation, "strides", "at least 1", list({g.strideH, g.strideW}));
  }
  if (std::min(g.dilationH, g.dilationW) < 1) {
    return Status::invalid(operation, "dilations", "at least 1", list({g.dilationH, g.dilationW}));
  }
  if (std::min({g.padTop, g.padLeft, g.padBottom, g.padRight}) < 0) {
    return Status::invalid(operation, "padding", "at least 0", list({g.padTop, g.padLeft, g.padBottom, g.padRight}));
  }
  if (g.groups < 1 || g.c % g.groups != 0 || g.outChannels < 1 || g.outChannels % g.groups != 0) {
    return Status::invalid(operation, "groups", "a divisor of input and output channels",
                           std::to_string(g.groups) + " for " + list({g.c, g.outChannels}));
  }
  return Status::ok();
}

Status checkSizes(const char* operation, const Geometry& g, const GeometryLimits& limits) {
  const double image = product({g.paddedH(), g.paddedW(), g.c});
  if (image > limits.maxImageBytes) {
    return Status::invalid(
        operation, limits.argument,
        "padded samples of at most " + std::to_string(static_cast<int64_t>(limits.maxImageBytes)) + " elements",
        std::to_string(static_cast<int64_t>(image)));
  }
  const double most = std::max({product({g.n, g.h, g.w, g.c}), product({g.n, g.outH, g.outW, g.outChannels}),
                                product({g.outChannels, g.kernelH, g.kernelW, g.c / g.groups})});
  if (most > limits.maxElements) {
    return Status::invalid(
        operation, limits.argument,
        "tensors of at most " + std::to_string(static_cast<int64_t>(limits.maxElements)) + " elements",
        std::to_string(most));
  }
  return Status::ok();
}

}  // namespace

Status checkConvolution(const char* operation, Geometry* geometry, const GeometryLimits& limits) {
  Geometry& g = *geometry;
  if (Status status = checkFields(operation, g, limits); !status) return status;
  g.outH = windowOutputs(g.h, g.kernelH, g.strideH, g.dilationH, g.padTop, g.padBottom);
  g.outW = windowOutputs(g.w, g.kernelW, g.strideW, g.dilationW, g.padLeft, g.padRight);
  if (g.outH < 1 || g.outW < 1) {
    return Status::invalid(operation, limits.argument,
                           "at least as many padded rows and columns as the window, " +
                               list({g.dilationH * (g.kernelH - 1) + 1, g.dilationW * (g.kernelW - 1) + 1}),
                           list({g.paddedH(), g.paddedW()}));
  }
  return checkSizes(operation, g, limits);
}

Status checkPool(const char* operation, const Geometry& g, const GeometryLimits& limits) {
  if (Status status = checkFields(operation, g, limits); !status) return status;
  if (std::min(g.outH, g.outW) < 1) {
    return Status::invalid(operation, limits.argument, "an output of at least 1 x 1", list({g.outH, g.outW}));
  }
  return checkSizes(operation, g, limits);
}

}  // namespace faultline
