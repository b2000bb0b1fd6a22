// ONNX Runtime as a peer: models of one operator (or of the few that make a dynamic convolution), every optimization
// on, inputs and outputs preallocated. Where the fastest form is not known beforehand several variants compete.
#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "implementations.h"
#include "ort_session.h"

namespace faultline::bench {
namespace {

using onnx::Attribute;
using onnx::Model;
using onnx::Shape;
using onnx::Type;
using onnx::Value;

const std::string kMicrosoft = "com.microsoft";

// A session with copies of its inputs and outputs.
struct State {
  AlignedBuffer<uint8_t> input;
  AlignedBuffer<uint8_t> output;
  std::unique_ptr<OrtSession> session;
};

class Builder {
 public:
  Builder(const Problem& p, int threads, std::vector<Candidate>* out, Notes* notes)
      : p_(p), g_(p.shape()), threads_(threads), out_(out), notes_(notes) {}

  // check judges the output bytes after a run.
  template <typename Check>
  void add(const std::string& variant, Model model, const Value& input, const void* data, const Value& output,
           Check check) {
    auto state = std::make_shared<State>();
    state->input = AlignedBuffer<uint8_t>(bytesOf(input));
    state->output = AlignedBuffer<uint8_t>(bytesOf(output));
    std::copy_n(static_cast<const uint8_t*>(data), bytesOf(input), state->input.data());
    model.input(input);
    model.output(output);
    Candidate candidate;
    candidate.impl = "onnxruntime";
    candidate.variant = variant;
    candidate.isa = "auto";  // it does not report its kernels
    candidate.threads = threads_;
    candidate.foreignThreads = true;
    try {
      state->session = std::make_unique<OrtSession>(model.serialize(), threads_,
                                                    std::vector<OrtSession::Tensor>{{input, state->input.data()}},
                                                    std::vector<OrtSession::Tensor>{{output, state->output.data()}});
    } catch (const std::runtime_error& e) {
      notes_->push_back("onnxruntime: " + variant + ": " + e.what());
      return;
    }
    candidate.run = [state] { state->session->run(); };
    candidate.check = [state, check] { return check(state->output.data()); };
    out_->push_back(std::move(candidate));
  }

  void matMulInteger();
  void dynamicQuantizeMatMul();
  void matMulNBits();
  void dynamicConvolution();
  void qLinearConv(bool channelsLast);

 private:
  static size_t bytesOf(const Value& v) {
    size_t bytes = onnx::sizeOf(v.type);
    for (const int64_t size : v.shape) bytes *= static_cast<size_t>(size);
    return bytes;
  }

  // [N, K] as [K, N], the right operand of a product.
  std::vector<int8_t> transposedWeights() const {
    std::vector<int8_t> t(p_.w.size());
    for (int64_t n = 0; n < g_.oc; ++n) {
      for (int64_t k = 0; k < g_.c; ++k)
        t[static_cast<size_t>(k * g_.oc + n)] = p_.w[static_cast<size_t>(n * g_.c + k)];
    }
    return t;
  }
  // [OC, KH, KW, C / G] as [OC, C / G, KH, KW], each code plus `offset`.
  std::vector<uint8_t> convolutionWeights(int offset) const {
    const int64_t taps = g_.kh * g_.kw, cpg = g_.channelsPerGroup();
    std::vector<uint8_t> t(p_.w.size());
    for (int64_t oc = 0; oc < g_.oc; ++oc) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        for (int64_t c = 0; c < cpg; ++c) {
          const int code = p_.w[static_cast<size_t>((oc * taps + tap) * cpg + c)];
          t[static_cast<size_t>((oc * cpg + c) * taps + tap)] = static_cast<uint8_t>(code + offset);
        }
      }
    }
    return t;
  }
  template <typename T>
  std::vector<T> channelsFirst(const T* nhwcData) const {
    std::vector<T> t(static_cast<size_t>(g_.inputs()));
    const int64_t pixels = g_.h * g_.w;
    for (int64_t n = 0; n < g_.n; ++n) {
      for (int64_t i = 0; i < pixels; ++i) {
        for (int64_t c = 0; c < g_.c; ++c) {
          t[static_cast<size_t>((n * g_.c + c) * pixels + i)] = nhwcData[(n * pixels + i) * g_.c + c];
        }
      }
    }
    return t;
  }
  std::vector<Attribute> convolutionAttributes() const {
    return {{"kernel_shape", {g_.kh, g_.kw}, true},
            {"strides", {g_.strideH, g_.strideW}, true},
            {"dilations", {g_.dilationH, g_.dilationW}, true},
            {"pads", {g_.padTop, g_.padLeft, g_.padBottom, g_.padRight}, true},
            {"group", {g_.groups}}};
  }

  const Problem& p_;
  const Geometry& g_;
  int threads_;
  std::vector<Candidate>* out_;
  Notes* notes_;
};

void Builder::matMulInteger() {
  Model model;
  const auto weights = transposedWeights();
  model.constant({"w", Type::s8, {g_.c, g_.oc}}, weights.data());
  model.node({"MatMulInteger", "", {"x", "w"}, {"y"}, {}});
  add("MatMulInteger u8s8", std::move(model), {"x", Type::u8, {g_.n, g_.c}}, p_.perSample.codes.data(),
      {"y", Type::s32, {g_.n, g_.oc}},
      [p = &p_](const void* y) { return checkAccumulators(*p, static_cast<const int32_t*>(y), nhwc(p->shape())); });
}

void Builder::dynamicQuantizeMatMul() {
  Model model;
  const auto weights = transposedWeights();
  model.constant({"w", Type::s8, {g_.c, g_.oc}}, weights.data());
  model.constant({"s", Type::f32, {g_.oc}}, p_.wScales.data());
  model.node({"DynamicQuantizeMatMul", kMicrosoft, {"x", "w", "s"}, {"y"}, {}});
  add("DynamicQuantizeMatMul u8s8, range per tensor", std::move(model), {"x", Type::f32, {g_.n, g_.c}}, p_.x.data(),
      {"y", Type::f32, {g_.n, g_.oc}}, [p = &p_](const void* y) {
        return checkFloats(*p, p->perTensor, static_cast<const float*>(y), nhwc(p->shape()));
      });
}

void Builder::matMulNBits() {
  const int64_t block = p_.job.blockSize;
  if (block == 0) return;  // it has no scale a channel
  const int64_t blocks = p_.scaleGroups, halfBlock = block / 2;
  std::vector<uint8_t> packed(static_cast<size_t>(g_.oc * blocks * halfBlock), 0x88);  // 8 is zero
  std::vector<float> scales(static_cast<size_t>(g_.oc * blocks));
  for (int64_t n = 0; n < g_.oc; ++n) {
    for (int64_t k = 0; k < g_.c; ++k) {
      const int code = p_.w[static_cast<size_t>(n * g_.c + k)] + 8;
      uint8_t& byte = packed[static_cast<size_t>(n * blocks * halfBlock + k / 2)];
      byte = static_cast<uint8_t>(k % 2 == 0 ? (byte & 0xF0) | code : (byte & 0x0F) | code << 4);
    }
    for (int64_t b = 0; b < blocks; ++b) {
      scales[static_cast<size_t>(n * blocks + b)] = p_.wScales[static_cast<size_t>(b * g_.oc + n)];
    }
  }
  Model model;
  model.constant({"w", Type::u8, {g_.oc, blocks, halfBlock}}, packed.data());
  model.constant({"s", Type::f32, {g_.oc * blocks}}, scales.data());
  model.node({"MatMulNBits",
              kMicrosoft,
              {"x", "w", "s"},
              {"y"},
              {{"K", {g_.c}}, {"N", {g_.oc}}, {"bits", {4}}, {"block_size", {block}}, {"accuracy_level", {4}}}});
  add("MatMulNBits, accuracy_level 4", std::move(model), {"x", Type::f32, {g_.n, g_.c}}, p_.x.data(),
      {"y", Type::f32, {g_.n, g_.oc}},
      [p = &p_, block](const void* y) { return checkBlockQuantized(*p, static_cast<const float*>(y), block); });
}

void Builder::dynamicConvolution() {
  constexpr uint8_t kWeightZero = 128;
  Model model;
  const auto weights = convolutionWeights(kWeightZero);
  const auto x = channelsFirst(p_.x.data());
  model.constant({"w", Type::u8, {g_.oc, g_.channelsPerGroup(), g_.kh, g_.kw}}, weights.data());
  model.constant({"wz", Type::u8, {}}, &kWeightZero);
  model.constant({"ws", Type::f32, {1, g_.oc, 1, 1}}, p_.wScales.data());
  model.node({"DynamicQuantizeLinear", "", {"x"}, {"xq", "xs", "xz"}, {}});
  model.node({"ConvInteger", "", {"xq", "w", "xz", "wz"}, {"acc"}, convolutionAttributes()});
  model.node({"Cast", "", {"acc"}, {"accf"}, {{"to", {static_cast<int64_t>(Type::f32)}}}});
  model.node({"Mul", "", {"xs", "ws"}, {"scale"}, {}});
  model.node({"Mul", "", {"accf", "scale"}, {"y"}, {}});
  add("DynamicQuantizeLinear + ConvInteger u8u8 (zero point 128) + Cast + Mul, range per tensor, NCHW",
      std::move(model), {"x", Type::f32, {g_.n, g_.c, g_.h, g_.w}}, x.data(),
      {"y", Type::f32, {g_.n, g_.oc, g_.oh(), g_.ow()}}, [p = &p_](const void* y) {
        return checkFloats(*p, p->perTensor, static_cast<const float*>(y), nchw(p->shape()));
      });
}

void Builder::qLinearConv(bool channelsLast) {
  // Any scale does for timing; this one spreads the accumulators over the codes: K products of a uniform u8
  // (rms 147) and a uniform s8 (rms 73) have rms 147 · 73 · √K, and ±3 of those become 256 codes.
  const float xScale = 1.0f;
  const float yScale = static_cast<float>(6.0 * 147 * 73 * std::sqrt(static_cast<double>(g_.depth())) * 0.0055 / 256);
  const uint8_t xZero = 0, yZero = 128;
  const std::vector<int8_t> wZero(static_cast<size_t>(g_.oc), 0);
  const auto weights = convolutionWeights(0);
  const auto first = channelsFirst(p_.perSample.codes.data());
  Model model;
  model.constant({"xs", Type::f32, {}}, &xScale);
  model.constant({"xz", Type::u8, {}}, &xZero);
  model.constant({"w", Type::s8, {g_.oc, g_.channelsPerGroup(), g_.kh, g_.kw}}, weights.data());
  model.constant({"ws", Type::f32, {g_.oc}}, p_.wScales.data());
  model.constant({"wz", Type::s8, {g_.oc}}, wZero.data());
  model.constant({"ys", Type::f32, {}}, &yScale);
  model.constant({"yz", Type::u8, {}}, &yZero);
  auto attributes = convolutionAttributes();
  if (channelsLast) attributes.push_back({"channels_last", {1}});
  model.node({"QLinearConv",
              channelsLast ? kMicrosoft : "",
              {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz"},
              {"y"},
              attributes});
  const Shape in = channelsLast ? Shape{g_.n, g_.h, g_.w, g_.c} : Shape{g_.n, g_.c, g_.h, g_.w};
  const Shape to = channelsLast ? Shape{g_.n, g_.oh(), g_.ow(), g_.oc} : Shape{g_.n, g_.oc, g_.oh(), g_.ow()};
  const void* data = channelsLast ? static_cast<const void*>(p_.perSample.codes.data()) : first.data();
  add(std::string("QLinearConv u8s8 to u8, static, ") + (channelsLast ? "NHWC" : "NCHW"), std::move(model),
      {"x", Type::u8, in}, data, {"y", Type::u8, to}, [p = &p_, yScale, yZero, channelsLast](const void* y) {
        return checkRequantized(*p, p->perSample, static_cast<const uint8_t*>(y), yScale, yZero,
                                channelsLast ? nhwc(p->shape()) : nchw(p->shape()));
      });
}

}  // namespace

void addOnnxRuntime(const Problem& p, int threads, std::vector<Candidate>* out, Notes* notes) {
  if (onnxRuntimeVersion().empty()) return;
  Builder builder(p, threads, out, notes);
  switch (p.job.op) {
    case Op::matmulS32:
      return builder.matMulInteger();
    case Op::matmulDynamic:
      return builder.dynamicQuantizeMatMul();
    case Op::matmulInt4:
      return builder.matMulNBits();
    case Op::convS32:
      builder.qLinearConv(false);
      return builder.qLinearConv(true);
    case Op::convDynamic:
      return builder.dynamicConvolution();
    case Op::convInt4:
      return;  // it has no 4-bit convolution
  }
}

}  // namespace faultline::bench
