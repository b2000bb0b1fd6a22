#include "dnn/convolution.h"

#include <atomic>

#include "dispatch/dispatch.h"
#include "dnn/dense.h"
#include "dnn/slices.h"
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

// Of the batch, for the gradient of weights: two threads have work, more where there is more of it.
int64_t slicesOf(const ConvGeometry& g) {
  constexpr int64_t kSliceWork = int64_t{1} << 28;  // multiplications: some 10 ms
  const int64_t work = g.n * g.outH() * g.outW() * g.weights();
  return std::min(g.n, std::clamp<int64_t>(work / kSliceWork, 2, mostSlices(g.weights())));
}

// Elements that are worth a thread.
constexpr int64_t kPiece = 16384;

// The largest magnitude; infinity where a value is NaN or infinite.
float magnitude(const float* x, int64_t count) {
  const int64_t pieces = ceilDiv(count, kPiece);
  std::atomic<float> largest = 0.f;
  parallel(static_cast<int>(std::min<int64_t>(threads(), pieces)), [&](int thread, int threadCount) {
    const int64_t begin = pieces * thread / threadCount * kPiece;
    const int64_t end = std::min(count, pieces * (thread + 1) / threadCount * kPiece);
    float min = 0.f, max = 0.f;
    if (!kernels().scanRange(x + begin, end - begin, &min, &max)) max = std::numeric_limits<float>::infinity();
    const float most = std::max(-min, max);
    for (float before = largest; before < most && !largest.compare_exchange_weak(before, most);) {
    }
  });
  return largest;
}

// What oneDNN computes for finite values; NaN stays NaN.
void bring(float* y, int64_t count, Bounds bounds) {
  overSlices(ceilDiv(count, kPiece), [&](int64_t piece) {
    for (int64_t i = piece * kPiece; i < std::min(count, (piece + 1) * kPiece); ++i) {
      const float atLeast = y[i] > bounds.low || y[i] != y[i] ? y[i] : bounds.low;
      y[i] = atLeast < bounds.high || atLeast != atLeast ? atLeast : bounds.high;
    }
  });
}

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
  struct OfSlice {
    dnnl::convolution_backward_weights primitive;
    Desc x, dy, scratch;
  };
  int64_t slices;
  std::array<OfSlice, 2> ofSlice;  // of the longer and of the shorter slices
  Converted x, dy, dw;
};

Convolution::Convolution(const ConvGeometry& g, ConvMethod method)
    : geometry_(g),
      window_{
          {g.strideH, g.strideW}, {g.dilationH - 1, g.dilationW - 1}, {g.padTop, g.padLeft}, {g.padBottom, g.padRight}},
      x_({g.n, g.c, g.h, g.w}, Type::f32, Tag::nhwc),
      y_({g.n, g.outChannels, g.outH(), g.outW()}, Type::f32, Tag::nhwc),
      w_(weightDesc(g)),
      bias_({g.outChannels}, Type::f32, Tag::x),
      factor_(method == ConvMethod::bf16 ? Type::bf16 : Type::f32),
      how_(method != ConvMethod::fast ? How::direct
           : suitsDense(g)            ? How::dense
           : suitsWinograd(g)         ? How::winograd
                                      : How::direct) {
  anyX_ = Desc({g.n, g.c, g.h, g.w}, factor_, Tag::nhwc);
  anyY_ = Desc({g.n, g.outChannels, g.outH(), g.outW()}, factor_, Tag::nhwc);
  anyW_ = Desc(weightDims(g), factor_, Tag::any);
}

Convolution::~Convolution() = default;

void Convolution::renewForThreads() {
  const int count = useThreads();
  if (count == threads_) return;
  for (auto& f : forward_) f.reset();
  backwardData_.reset();
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

// oneDNN's ReLU and clip turn NaN into a bound. Results cannot be NaN where their addends are finite and far from
// float32's end.
bool Convolution::mayBeNaN(const float* x, VersionedWeights w, const float* bias, const float* residual) {
  const ConvGeometry& g = geometry_;
  if (w.version == 0 || w.version != measured_) largestWeight_ = magnitude(w.data, g.weights());
  measured_ = w.version;
  const double terms = static_cast<double>(g.weights() / g.outChannels);
  const double largest = terms * largestWeight_ * magnitude(x, g.inputs()) +
                         (bias ? magnitude(bias, g.outChannels) : 0.f) +
                         (residual ? magnitude(residual, g.outputs()) : 0.f);
  return !(largest < std::numeric_limits<float>::max() / 2);
}

void Convolution::forward(const float* x, VersionedWeights w, const float* bias, const float* residual, Bounds bounds,
                          float* y) {
  if (!bounds.none() && mayBeNaN(x, w, bias, residual)) {
    forward(x, w, bias, residual, kUnbounded, y);
    return bring(y, geometry_.outputs(), bounds);
  }
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

std::unique_ptr<Convolution::BackwardWeights> Convolution::makeBackwardWeights(bool bias) const {
  auto made = std::make_unique<BackwardWeights>();
  const ConvGeometry& g = geometry_;
  made->slices = slicesOf(g);
  const OneThread one;
  // Gradients of weights are summed and returned in float32, whatever the factors are.
  Desc dw(weightDims(g), Type::f32, Tag::any);
  for (const int64_t s : {int64_t{0}, made->slices - 1}) {
    const int64_t n = sliceOf(g.n, made->slices, s).size;
    const Dims out{n, g.outChannels, g.outH(), g.outW()};
    const Desc x({n, g.c, g.h, g.w}, factor_, Tag::nhwc), dy(out, factor_, Tag::nhwc), y(out, Type::f32, Tag::nhwc);
    const auto forward = convolutionForward(engine(), dnnl::prop_kind::forward_training, kAlgorithm, x, anyW_, Desc(),
                                            y, window_, dnnl::primitive_attr());
    const auto description = convolutionBackwardWeights(engine(), kAlgorithm, x, dw, bias ? bias_ : Desc(), dy, window_,
                                                        forward, sliceAttributes());
    dw = description.diff_weights_desc();
    made->ofSlice[s > 0 ? 1 : 0] = {dnnl::convolution_backward_weights(description), description.src_desc(),
                                    description.diff_dst_desc(), description.scratchpad_desc()};
  }
  if (made->slices == 1) made->ofSlice[1] = made->ofSlice[0];
  made->x = Converted(x_, anyX_, Place::first);
  made->dy = Converted(y_, anyY_, Place::second);
  made->dw = Converted(w_, dw, Place::kept);
  return made;
}

void Convolution::backwardWeights(const float* x, const float* dy, float* dw, float* db) {
  if (how_ == How::dense) return denseBackwardWeights(geometry_, x, dy, dw, db);
  if (how_ == How::winograd) return winogradBackwardWeights(geometry_, x, dy, dw, db);
  useThreads();
  std::unique_ptr<BackwardWeights>& slot = backwardWeights_[db ? 1 : 0];
  if (!slot) slot = makeBackwardWeights(db != nullptr);
  BackwardWeights& b = *slot;
  lastWeights_ = &b;
  const auto *xs = static_cast<const char*>(b.x.read(x, 0).get_data_handle()),
             *dys = static_cast<const char*>(b.dy.read(dy, 0).get_data_handle());
  float* sum = static_cast<float*>(b.dw.target(dw).get_data_handle());
  const int64_t n = geometry_.n, channels = geometry_.outChannels;
  const auto size = static_cast<int64_t>(b.dw.expected().get_size() / sizeof(float));
  struct Weights;
  struct Bias;
  float* dwParts = scratch<Weights, float>(static_cast<size_t>((b.slices - 1) * size));
  float* dbParts = scratch<Bias, float>(static_cast<size_t>((b.slices - 1) * channels));
  {
    const OneThread one;
    overSlices(b.slices, [&](int64_t s) {
      const auto [begin, count] = sliceOf(n, b.slices, s);
      const BackwardWeights::OfSlice& slice = b.ofSlice[count < sliceOf(n, b.slices, 0).size ? 1 : 0];
      std::unordered_map<int, dnnl::memory> args{
          {DNNL_ARG_SRC, over(slice.x, xs + begin * static_cast<int64_t>(slice.x.get_size()) / count)},
          {DNNL_ARG_DIFF_DST, over(slice.dy, dys + begin * static_cast<int64_t>(slice.dy.get_size()) / count)},
          {DNNL_ARG_DIFF_WEIGHTS, over(b.dw.expected(), s == 0 ? sum : dwParts + (s - 1) * size)},
          {DNNL_ARG_SCRATCHPAD, sliceScratch(slice.scratch)}};
      if (db) args.insert({DNNL_ARG_DIFF_BIAS, over(bias_, s == 0 ? db : dbParts + (s - 1) * channels)});
      slice.primitive.execute(stream(), args);
    });
  }
  addSlices(b.slices - 1, size, dwParts, sum);
  if (db) addSlices(b.slices - 1, channels, dbParts, db);
  b.dw.store();
}

}  // namespace faultline::dnn
