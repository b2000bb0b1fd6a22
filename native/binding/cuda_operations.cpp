// The CUDA addon's operations on arrays of the device. Shapes are checked here; nothing waits for the device unless it
// says so.
#include <algorithm>

#include "binding/cuda_handles.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxRows = INT32_MAX;
constexpr int64_t kMaxImageBytes = int64_t{1} << 31;
constexpr double kMaxElements = 0x1p40;

int64_t checkedCount(const Args& args, const char* name, std::initializer_list<int64_t> dims) {
  double count = 1;
  for (const int64_t dim : dims) count *= static_cast<double>(dim);
  if (!(count <= kMaxElements)) args.refuse(name, "at most 2^40 elements", std::to_string(count));
  return static_cast<int64_t>(count);
}

// bits: number | Uint8Array at i, perTensor at i + 1.
cuda::Quantization readBits(const Args& args, size_t i, int64_t units) {
  cuda::Quantization q;
  q.perTensor = args.boolean(i + 1);
  if (args.at(i).IsNumber()) {
    q.bits = static_cast<int>(args.integer(i, "activationBits", kMinBits, kMaxBits));
    return q;
  }
  if (q.perTensor) args.refuse("activationBits", "one number with perTensor ranges", "an array");
  q.unitBits = args.array<const uint8_t>(i, "activationBits", static_cast<size_t>(units)).data;
  for (int64_t unit = 0; unit < units; ++unit) {
    if (q.unitBits[unit] < kMinBits || q.unitBits[unit] > kMaxBits) {
      args.refuse("activationBits", "2 to 8", std::to_string(q.unitBits[unit]) + " for " + std::to_string(unit));
    }
  }
  return q;
}

// NaN or infinity is not refused but marked, in the array at i, as call number i + 1 (see FaultMark): all bits set are
// no fault, and the host looks when it wants results.
cuda::FaultMark readFault(const Args& args, size_t i) {
  return {reinterpret_cast<uint64_t*>(DeviceArrayHandle::unwrap<int32_t>(args, i, "fault", 2)),
          static_cast<uint32_t>(args.integer(i + 1, "call", 0, kMaxRows))};
}

// From position i on: bias?, residual?, clipMin, clipMax, integers, scale?, zeroPoint?
void readEpilogue(const Args& args, size_t i, int64_t channels, int64_t outputs, int64_t units, size_t outAt,
                  cuda::Output* o, cuda::Quantization* q) {
  o->bias = DeviceArrayHandle::optional<float>(args, i, "bias", channels);
  o->residual = DeviceArrayHandle::optional<float>(args, i + 1, "residual", outputs);
  o->clipMin = static_cast<float>(args.number(i + 2, "clip"));
  o->clipMax = static_cast<float>(args.number(i + 3, "clip"));
  if (args.boolean(i + 4)) {
    o->acc = DeviceArrayHandle::unwrap<int32_t>(args, outAt, "out", outputs);
  } else {
    o->out = DeviceArrayHandle::unwrap<float>(args, outAt, "out", outputs);
  }
  q->scale = args.optionalArray<float>(i + 5, "scale", static_cast<size_t>(units)).data;
  q->zeroPoint = args.optionalArray<int32_t>(i + 6, "zeroPoint", static_cast<size_t>(units)).data;
}

// (x, m, weights, out, bits, perTensor, bias?, residual?, clipMin, clipMax, integers: boolean, rowScale?,
// rowZeroPoint?, fault, call)
// With rowScale or rowZeroPoint (host arrays) it waits for the device.
Napi::Value matmulBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmulDynamic");
  cuda::UploadedWeights& weights = DeviceWeightsHandle::unwrap(args, 2, false);
  cuda::MatmulCall call;
  call.m = args.integer(1, "m", 0, kMaxRows);
  const int64_t outputs = checkedCount(args, "out", {call.m, weights.layout.n});
  call.x = DeviceArrayHandle::unwrap<float>(args, 0, "x", checkedCount(args, "x", {call.m, weights.layout.k}));
  cuda::Quantization q = readBits(args, 4, call.m);
  readEpilogue(args, 6, weights.layout.n, outputs, call.m, 3, &call.output, &q);
  if (call.output.acc != nullptr && weights.layout.blockSize > 0) {
    args.refuse("weights", "one scale a channel for int32 output", "scales by group");
  }
  call.fault = readFault(args, 13);
  throwIfFailed(args.env(), sessionOf(args).matmul(call, weights, q));
  return args.env().Undefined();
}

// Outputs along an axis; below 1 when the window does not fit.
int64_t outputSize(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t pads) {
  const int64_t free = size + pads - (dilation * (kernel - 1) + 1);
  return free < 0 ? 0 : free / stride + 1;
}

// (x, geometry: Int32Array [n, h, w, c, strides, dilations, padding], weights, out, …) and on as matmulDynamic
Napi::Value conv2dBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "conv2dDynamic");
  cuda::UploadedWeights& weights = DeviceWeightsHandle::unwrap(args, 2, true);
  const ConvWeightShape& shape = weights.shape;
  const int32_t* g = args.array<const int32_t>(1, "geometry", 12).data;
  if (*std::min_element(g, g + 12) < 0 || std::min({g[1], g[2], g[4], g[5], g[6], g[7]}) < 1) {
    args.refuse("geometry", "sizes, strides and dilations of at least 1, padding of at least 0", "others");
  }
  cuda::ConvCall call;
  call.n = g[0];
  call.h = g[1];
  call.w = g[2];
  call.c = g[3];
  call.strideH = g[4];
  call.strideW = g[5];
  call.dilationH = g[6];
  call.dilationW = g[7];
  call.padTop = g[8];
  call.padLeft = g[9];
  call.padBottom = g[10];
  call.padRight = g[11];
  if (call.c != shape.inChannels()) {
    args.refuse("x", std::to_string(shape.inChannels()) + " channels, as the weights have", std::to_string(call.c));
  }
  call.outH = outputSize(call.h, shape.kernelH, call.strideH, call.dilationH, call.padTop + call.padBottom);
  call.outW = outputSize(call.w, shape.kernelW, call.strideW, call.dilationW, call.padLeft + call.padRight);
  if (call.outH < 1 || call.outW < 1) args.refuse("x", "padded images as large as the window", "smaller ones");
  const int64_t pixels = checkedCount(
      args, "x",
      {call.h + call.padTop + call.padBottom, call.w + call.padLeft + call.padRight, call.c + 15 * shape.groups});
  if (pixels >= kMaxImageBytes) args.refuse("x", "padded samples below 2^31 elements", std::to_string(pixels));
  const int64_t outputs = checkedCount(args, "out", {call.n, call.outH, call.outW, shape.outChannels});
  call.x = DeviceArrayHandle::unwrap<float>(args, 0, "x", checkedCount(args, "x", {call.n, call.h, call.w, call.c}));
  cuda::Quantization q = readBits(args, 4, call.n);
  readEpilogue(args, 6, shape.outChannels, outputs, call.n, 3, &call.output, &q);
  call.fault = readFault(args, 13);
  throwIfFailed(args.env(), sessionOf(args).conv2d(call, weights, q));
  return args.env().Undefined();
}

// (function, p, q, count, x, y)
Napi::Value unaryBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "unary");
  const auto function = static_cast<int32_t>(args.integer(0, "function", 0, 255));
  if (!cuda::isUnaryFunction(function)) args.refuse("function", "one that the device has", std::to_string(function));
  const int64_t count = args.integer(3, "count", 0, int64_t{1} << 40);
  cuda::Device& device = sessionOf(args).device();
  device.unary({static_cast<cuda::UnaryFunction>(function), static_cast<float>(args.number(1, "p")),
                static_cast<float>(args.number(2, "q")), DeviceArrayHandle::unwrap<float>(args, 4, "x", count),
                DeviceArrayHandle::unwrap<float>(args, 5, "y", count), count});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// Int32Array [rank, dims…, strides of the first operand…, strides of the second…], as lib/autograd/strides.ts makes it.
cuda::DeviceWalk readWalk(const Args& args, size_t i) {
  cuda::DeviceWalk walk;
  walk.rank = args.array<const int32_t>(i, "walk", 1).data[0];
  if (walk.rank < 0 || walk.rank > cuda::kMaxAxes) args.refuse("walk", "up to 8 axes", std::to_string(walk.rank));
  const int32_t* at = args.array<const int32_t>(i, "walk", static_cast<size_t>(1 + 3 * walk.rank)).data + 1;
  if (std::any_of(at, at + 3 * walk.rank, [](int32_t v) { return v < 0; })) {
    args.refuse("walk", "no negative number", "one");
  }
  std::copy_n(at, walk.rank, walk.dims);
  std::copy_n(at + walk.rank, walk.rank, walk.first);
  std::copy_n(at + 2 * walk.rank, walk.rank, walk.second);
  for (int axis = 0; axis < walk.rank; ++axis) walk.count = checkedCount(args, "walk", {walk.count, walk.dims[axis]});
  return walk;
}

// Elements an operand has at least.
int64_t reach(const cuda::DeviceWalk& walk, const int32_t* strides) {
  if (walk.count == 0) return 0;
  int64_t last = 0;
  for (int axis = 0; axis < walk.rank; ++axis) last += int64_t{walk.dims[axis] - 1} * strides[axis];
  return last + 1;
}

// (function, walk, a, b, y)
Napi::Value binaryBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "binary");
  const auto function = static_cast<int32_t>(args.integer(0, "function", 0, 255));
  if (!cuda::isBinaryFunction(function)) args.refuse("function", "one that the device has", std::to_string(function));
  const cuda::DeviceWalk walk = readWalk(args, 1);
  cuda::Device& device = sessionOf(args).device();
  device.binary({static_cast<cuda::BinaryFunction>(function), walk,
                 DeviceArrayHandle::unwrap<float>(args, 2, "a", reach(walk, walk.first)),
                 DeviceArrayHandle::unwrap<float>(args, 3, "b", reach(walk, walk.second)),
                 DeviceArrayHandle::unwrap<float>(args, 4, "y", walk.count)});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (walk: strides of x, of y; x, y)
Napi::Value copyBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "copy");
  const cuda::DeviceWalk walk = readWalk(args, 0);
  cuda::Device& device = sessionOf(args).device();
  device.copy({walk, DeviceArrayHandle::unwrap<float>(args, 1, "x", reach(walk, walk.first)),
               DeviceArrayHandle::unwrap<float>(args, 2, "y", reach(walk, walk.second))});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (kind: 0 largest, 1 mean, 2 mean with padding, geometry: Int32Array [16] as lib/autograd/ops/pool2d.ts makes it, x,
// y)
Napi::Value poolBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "pool");
  const auto kind = static_cast<cuda::PoolKind>(args.integer(0, "kind", 0, 2));
  const int32_t* g = args.array<const int32_t>(1, "geometry", 16).data;
  const cuda::PoolShape s = {g[0], g[1], g[2],  g[3],  g[4],  g[5],  g[6],  g[7],
                             g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]};
  if (*std::min_element(g, g + 16) < 0 ||
      std::min({s.kernelH, s.kernelW, s.strideH, s.strideW, s.dilationH, s.dilationW}) < 1) {
    args.refuse("geometry", "windows, strides and dilations of at least 1", "others");
  }
  const int64_t count = checkedCount(args, "y", {s.n, s.outH, s.outW, s.c});
  cuda::Device& device = sessionOf(args).device();
  device.pool({kind, s, DeviceArrayHandle::unwrap<float>(args, 2, "x", checkedCount(args, "x", {s.n, s.h, s.w, s.c})),
               DeviceArrayHandle::unwrap<float>(args, 3, "y", count), count});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (logits, rows, classes, labels?, reference?, counts, at): counts[2 · at], counts[2 · at + 1] are raised by the rows
// whose class is that of labels, of reference
Napi::Value scoreBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "score");
  const int64_t rows = args.integer(1, "rows", 0, kMaxRows);
  const int64_t classes = args.integer(2, "classes", 1, kMaxRows);
  const int64_t at = args.integer(6, "at", 0, kMaxRows);
  cuda::Device& device = sessionOf(args).device();
  device.score({DeviceArrayHandle::unwrap<float>(args, 0, "logits", checkedCount(args, "logits", {rows, classes})),
                rows, static_cast<int32_t>(classes), DeviceArrayHandle::optional<int32_t>(args, 3, "labels", rows),
                DeviceArrayHandle::optional<int32_t>(args, 4, "reference", rows),
                DeviceArrayHandle::unwrap<int32_t>(args, 5, "counts", 2 * at + 2) + 2 * at});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// Waits for the device.
Napi::Value waitBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "wait");
  cuda::Device& device = sessionOf(args).device();
  device.wait();
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// → {free, held, inUse}, bytes: of the device; of it, by this addon; of these, in use
Napi::Value memoryBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "memory");
  cuda::Session& session = sessionOf(args);
  Napi::Object result = Napi::Object::New(args.env());
  result.Set("free", static_cast<double>(session.device().freeBytes()));
  result.Set("held", static_cast<double>(session.pool().bytes()));
  result.Set("inUse", static_cast<double>(session.pool().bytesInUse()));
  return result;
}

template <Napi::Value (*operation)(const Napi::CallbackInfo&)>
void add(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<operation>(exports.Env(), name));
}

}  // namespace

void defineCudaOperations(Napi::Object exports) {
  add<matmulBinding>(exports, "matmulDynamic");
  add<conv2dBinding>(exports, "conv2dDynamic");
  add<unaryBinding>(exports, "unary");
  add<binaryBinding>(exports, "binary");
  add<copyBinding>(exports, "copy");
  add<poolBinding>(exports, "pool");
  add<scoreBinding>(exports, "score");
  add<waitBinding>(exports, "wait");
  add<memoryBinding>(exports, "memory");
}

}  // namespace faultline::binding
