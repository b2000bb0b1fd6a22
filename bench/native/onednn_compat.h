// The differences between oneDNN 2.6 (Debian 12) and 3.x that this program meets: how primitive descriptors are made.
#pragma once

#include <dnnl_version.h>

#include <dnnl.hpp>

namespace faultline::bench::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

inline dnnl::matmul::primitive_desc matmul(const dnnl::engine& engine, const Desc& a, const Desc& b, const Desc& c) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c};
#else
  return {dnnl::matmul::desc(a, b, c), engine};
#endif
}

// dilation counts the skipped taps: 0 is dense.
inline dnnl::convolution_forward::primitive_desc convolution(const dnnl::engine& engine, const Desc& src,
                                                             const Desc& weights, const Desc& dst, const Dims& strides,
                                                             const Dims& dilation, const Dims& padBegin,
                                                             const Dims& padEnd) {
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, algorithm, src, weights, dst, strides, dilation, padBegin, padEnd};
#else
  return {dnnl::convolution_forward::desc(kind, algorithm, src, weights, dst, strides, dilation, padBegin, padEnd),
          engine};
#endif
}

}  // namespace faultline::bench::onednn
