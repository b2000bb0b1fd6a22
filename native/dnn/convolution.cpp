#include "dnn/convolution.h"

#include "dnn/dense.h"
#include "dnn/winograd.h"

namespace faultline::dnn {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

Dims weightDims(const ConvGeometry& g) {
  if (g.groups == 1) return {g.outChannels, g.c, g.kernelH, g.kernelW};
  return {g.groups, g.outChannels / g.groups, g.c / g.groups, g.kernelH, g.kernelW};
}

constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;

Desc weightDesc(const ConvGeometry& g) { return {weightDims(g), Type::f32, g.groups == 1 ? Tag::oihw : Tag::goihw}; }

}  // namespace

struct Convolution::Forward {
  Bounds bounds;
  dnnl::convolution_forward::primitive_desc description;
  dnnl::convolution_forward primitive;
  Converted x, w, y;
  dnnl::memory bias, residual;
  Reorder copy;
  std::unordered_map<int, dnnl::memory> args;  // the memories above; their addresses are set at each call
};

struct Convolution::BackwardData {
  dnnl::convolution_backward_data primitive;
  Converted dy, w, dx;
};

struct Convolution::BackwardWeights {
  dnnl::convolution_backward_weights primitive;
  Converted x, dy, dw;
  dnnl::memory db;
};

Convolution::Convolution(const ConvGeometry& g, ConvMethod method)
    : geometry_(g),
      window_{
          {g.strideH, g.strideW}, {g.dilationH - 1, g.dilationW - 1}, {g.padTop, g.padLeft}, {g.padBottom, g.padRight}},
      x_({g.n, g.c, g.h, g.w}, Type::f32, Tag::nhwc),
      y_({g.n, g.outChannels, g.outH(), g.outW()}, Type::f32, Tag::nhwc),
      w_(weightDesc(g)),
      bias_({g.outChannels}, Type::f32, Tag::x),
      how_(method != ConvMethod::fast ? How::direct
           : suitsDense(g)            ? How::dense
           : suitsWinograd(g)         ? How::winograd
                                      : How::direct) {
  const Type factor = method == ConvMethod::bf16 ? Type::bf16 : Type::f32;
  anyX_ = Desc({g.n, g.c, g.h, g.w}, factor, Tag::nhwc);
  anyY_ = Desc({g.n, g.outChannels, g.outH(), g.outW()}, factor, Tag::nhwc);
  anyW_ = Desc(weightDims(g), factor, Tag::any);
}

Convolution::~Convolution() = default;

void Convolution::renewForThreads() {
  const int count = useThreads();
  if (count == threads_) return;
  for (auto& f : forward_) f.reset();
  backwardData_.reset();
  lastWeights_ = nullptr;
  for (auto& b : backwardWeights_) b.reset();
  threads_ = count;
}

Convolution::Forward& Convolution::forwardFor(bool bias, bool residual, Bounds bounds) {
  std::unique_ptr<Forward>& slot = forward_[(bias ? 1 : 0) + (bounds.none() ? 0 : 2) + (residual ? 4 : 0)];
  if (slot && slot->bounds == bounds) return *slot;
  dnnl::post_ops after;
  if (residual) after.append_sum(1.f);  // a sum, not binary_add, for which oneDNN has only slower kernels
  if (!bounds.none()) appendClip(after, bounds.low, bounds.high);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  auto made = std::make_unique<Forward>();
  made->bounds = bounds;
  made->description = convolutionForward(engine(), dnnl::prop_kind::forward_training, kAlgorithm, anyX_, anyW_,
                                         bias ? bias_ : Desc(), y_, window_, attributes);
  made->primitive = dnnl::convolution_forward(made->description);
  made->x = Converted(x_, made->description.src_desc(), Place::first);
  made->w = Converted(w_, made->description.weights_desc(), Place::kept);
  made->y = Converted(y_, made->description.dst_desc(), Place::second);
  if (bias) made->bias = over(bias_, nullptr);
  if (residual) {
    made->residual = over(y_, nullptr);
    made->copy = Reorder(y_, y_);
  }
  slot = std::move(made);
  return *slot;
}

void Convolution::forward(const float* x, VersionedWeights w, const float* bias, const float* residual, Bounds bounds,
                          float* y) {
  if (!residual && bounds.none()) {
    if (how_ == How::dense) return denseForward(geometry_, x, w.data, bias, y);
    if (how_ == How::winograd) return winogradForward(geometry_, x, w.data, bias, y);
  }
  renewForThreads();
  Forward& f = forwardFor(bias != nullptr, residual != nullptr, bounds);
  dnnl::memory &xs = f.x.read(x, 0), &ws = f.w.read(w.data, w.version), &ys = f.y.target(y);
  if (bias) f.bias.set_data_handle(const_cast<float*>(bias));
  if (f.args.empty()) {
    f.args = {{DNNL_ARG_SRC, xs}, {DNNL_ARG_WEIGHTS, ws}, {DNNL_ARG_DST, ys}};
    if (bias) f.args.insert({DNNL_ARG_BIAS, f.bias});
  }
  if (residual && residual != y) {
    f.residual.set_data_handle(const_cast<float*>(residual));
    f.copy.run(f.residual, ys);
  }
  f.primitive.execute(stream(), f.args);
  f.y.store();
}

void Convolution::backwardData(const float* dy, VersionedWeights w, bool again, float* dx) {
  if (how_ == How::dense) return denseBackwardData(geometry_, dy, w.data, dx);
  if (how_ == How::winograd) return winogradBackwardData(geometry_, dy, w.data, dx);
  renewForThreads();
  if (!backwardData_) {
    auto made = std::make_unique<BackwardData>();
    const auto description = convolutionBackwardData(engine(), kAlgorithm, x_, anyW_, anyY_, window_,
                                                     forwardFor(false, false, kUnbounded).description);
    made->primitive = dnnl::convolution_backward_data(description);
    made->dy = Converted(y_, description.diff_dst_desc(), Place::second);
    made->w = Converted(w_, description.weights_desc(), Place::kept);
    made->dx = Converted(x_, description.diff_src_desc(), Place::first);
    backwardData_ = std::move(made);
  }
  BackwardData& b = *backwardData_;
  const bool ready = again && lastWeights_ && lastWeights_->dy.expected() == b.dy.expected();
  b.primitive.execute(stream(), {{DNNL_ARG_DIFF_DST, ready ? lastWeights_->dy.again() : b.dy.read(dy, 0)},
                                 {DNNL_ARG_WEIGHTS, b.w.read(w.data, w.version)},
                                 {DNNL_ARG_DIFF_SRC, b.dx.target(dx)}});
  b.dx.store();
}

void Convolution::backwardWeights(const float* x, const float* dy, float* dw, float* db) {
  if (how_ == How::dense) return denseBackwardWeights(geometry_, x, dy, dw, db);
  if (how_ == How::winograd) return winogradBackwardWeights(geometry_, x, dy, dw, db);
  renewForThreads();
  std::unique_ptr<BackwardWeights>& slot = backwardWeights_[db ? 1 : 0];
  if (!slot) {
    auto made = std::make_unique<BackwardWeights>();
    // Gradients of weights are summed and returned in float32, whatever the factors are.
    const Desc anyLayout(weightDims(geometry_), Type::f32, Tag::any);
    const auto description =
        convolutionBackwardWeights(engine(), kAlgorithm, anyX_, anyLayout, db ? bias_ : Desc(), anyY_, window_,
                                   forwardFor(false, false, kUnbounded).description);
    made->primitive = dnnl::convolution_backward_weights(description);
    made->x = Converted(x_, description.src_desc(), Place::first);
    made->dy = Converted(y_, description.diff_dst_desc(), Place::second);
    made->dw = Converted(w_, description.diff_weights_desc(), Place::kept);
    if (db) made->db = over(bias_, nullptr);
    slot = std::move(made);
  }
  BackwardWeights& b = *slot;
  lastWeights_ = &b;
  std::unordered_map<int, dnnl::memory> args{
      {DNNL_ARG_SRC, b.x.read(x, 0)}, {DNNL_ARG_DIFF_DST, b.dy.read(dy, 0)}, {DNNL_ARG_DIFF_WEIGHTS, b.dw.target(dw)}};
  if (db) {
    b.db.set_data_handle(db);
    args.insert({DNNL_ARG_DIFF_BIAS, b.db});
  }
  b.primitive.execute(stream(), args);
  b.dw.store();
}

}  // namespace faultline::dnn
