// The differences between oneDNN 2.6 (Debian 12) and 3.x that we meet, all in how primitives are described.
#pragma once

#include <cmath>
#include <dnnl.hpp>

namespace faultline::dnn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

// Where and how a convolution window moves; `dilation` counts the skipped taps: 0 is dense.
struct Window {
  Dims strides, dilation, padBegin, padEnd;
};

// min(max(·, low), high): a ReLU where the bounds are 0 and infinity.
inline void appendClip(dnnl::post_ops& ops, float low, float high) {
  const bool relu = low == 0.f && std::isinf(high);
  const auto algorithm = relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_clip;
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, relu ? 0.f : low, relu ? 0.f : high);
#else
  ops.append_eltwise(1.f, algorithm, relu ? 0.f : low, relu ? 0.f : high);
#endif
}

// In 2.6 an operation is described first and the primitive from it; in 3.x everything goes to the primitive.
#if DNNL_VERSION_MAJOR >= 3

inline dnnl::convolution_forward::primitive_desc convolutionForward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                                    dnnl::algorithm algorithm, const Desc& src,
                                                                    const Desc& weights, const Desc& bias,
                                                                    const Desc& dst, const Window& w,
                                                                    const dnnl::primitive_attr& attributes) {
  return {engine, kind, algorithm, src, weights, bias, dst, w.strides, w.dilation, w.padBegin, w.padEnd, attributes};
}

inline dnnl::convolution_backward_data::primitive_desc convolutionBackwardData(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& diffSrc, const Desc& weights,
    const Desc& diffDst, const Window& w, const dnnl::convolution_forward::primitive_desc& forward) {
  return {engine, algorithm, diffSrc, weights, diffDst, w.strides, w.dilation, w.padBegin, w.padEnd, forward};
}

inline dnnl::convolution_backward_weights::primitive_desc convolutionBackwardWeights(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src, const Desc& diffWeights,
    const Desc& diffBias, const Desc& diffDst, const Window& w,
    const dnnl::convolution_forward::primitive_desc& forward, const dnnl::primitive_attr& attributes) {
  return {engine,    algorithm,  src,        diffWeights, diffBias, diffDst,
          w.strides, w.dilation, w.padBegin, w.padEnd,    forward,  attributes};
}

inline dnnl::matmul::primitive_desc matmulDescriptor(const dnnl::engine& engine, const Desc& a, const Desc& b,
                                                     const Desc& bias, const Desc& c,
                                                     const dnnl::primitive_attr& attributes) {
  return {engine, a, b, bias, c, attributes};
}

#else

inline dnnl::convolution_forward::primitive_desc convolutionForward(const dnnl::engine& engine, dnnl::prop_kind kind,
                                                                    dnnl::algorithm algorithm, const Desc& src,
                                                                    const Desc& weights, const Desc& bias,
                                                                    const Desc& dst, const Window& w,
                                                                    const dnnl::primitive_attr& attributes) {
  return {dnnl::convolution_forward::desc(kind, algorithm, src, weights, bias, dst, w.strides, w.dilation, w.padBegin,
                                          w.padEnd),
          attributes, engine};
}

inline dnnl::convolution_backward_data::primitive_desc convolutionBackwardData(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& diffSrc, const Desc& weights,
    const Desc& diffDst, const Window& w, const dnnl::convolution_forward::primitive_desc& forward) {
  return {dnnl::convolution_backward_data::desc(algorithm, diffSrc, weights, diffDst, w.strides, w.dilation, w.padBegin,
                                                w.padEnd),
          engine, forward};
}

inline dnnl::convolution_backward_weights::primitive_desc convolutionBackwardWeights(
    const dnnl::engine& engine, dnnl::algorithm algorithm, const Desc& src, const Desc& diffWeights,
    const Desc& diffBias, const Desc& diffDst, const Window& w,
    const dnnl::convolution_forward::primitive_desc& forward, const dnnl::primitive_attr& attributes) {
  return {dnnl::convolution_backward_weights::desc(algorithm, src, diffWeights, diffBias, diffDst, w.strides,
                                                   w.dilation, w.padBegin, w.padEnd),
          attributes, engine, forward};
}

inline dnnl::matmul::primitive_desc matmulDescriptor(const dnnl::engine& engine, const Desc& a, const Desc& b,
                                                     const Desc& bias, const Desc& c,
                                                     const dnnl::primitive_attr& attributes) {
  return {dnnl::matmul::desc(a, b, bias, c), attributes, engine};
}

#endif

}  // namespace faultline::dnn
