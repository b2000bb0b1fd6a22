// The CUDA addon's operations on arrays of the device. Shapes are checked here; nothing waits for the device unless it
// says so.
#include <algorithm>

#include "binding/cuda_handles.h"
#include "binding/geometry.h"
#include "binding/product_end.h"
#include "quant/affine.h"

namespace faultline::binding {
namespace {

constexpr int64_t kMaxRows = INT32_MAX;
constexpr int64_t kMaxImageBytes = int64_t{1} << 31;

int64_t elements(const Args& args, const char* name, std::initializer_list<int64_t> extents) {
  return static_cast<int64_t>(args.elements(name, extents));
}

// The arguments of both products: (x, shape: rows or a geometry, weights, out, bits: number | Uint8Array, perTensor,
// bias?, residual?, clipMin, clipMax, integers: boolean, scale?, zeroPoint?, fault, call). With scale or zeroPoint
// (host arrays) they wait for the device. NaN or infinity is not refused but marked in `fault`, as call number `call`
// (see FaultMark): all bits set are no fault, and the host checks when it reads results.
enum DeviceProduct : size_t {
  kX,
  kShape,
  kWeights,
  kOut,
  kActivationBits,
  kPerTensor,
  kBias,
  kResidual,
  kClipMin,
  kClipMax,
  kIntegers,
  kScale,
  kZeroPoint,
  kFault,
  kCall
};

// `each` holds the bits of every unit.
cuda::Quantization readQuantization(const Args& args, int64_t units, const char* where, std::vector<uint8_t>& each) {
  cuda::Quantization q;
  q.perTensor = args.boolean(kPerTensor);
  if (args.at(kActivationBits).IsNumber()) {
    q.bits = static_cast<int>(args.integer(kActivationBits, "activationBits", kMinBits, kMaxBits));
  } else {
    each = readUnitBits(args, kActivationBits, q.perTensor, static_cast<size_t>(units), where);
    q.unitBits = each.data();
  }
  q.scale = args.optionalArray<float>(kScale, "scale", static_cast<size_t>(units)).data;
  q.zeroPoint = args.optionalArray<int32_t>(kZeroPoint, "zeroPoint", static_cast<size_t>(units)).data;
  return q;
}

cuda::Output readOutput(const Args& args, int64_t channels, int64_t outputs) {
  cuda::Output o;
  o.bias = DeviceArrayHandle::optional<float>(args, kBias, "bias", channels);
  o.residual = DeviceArrayHandle::optional<float>(args, kResidual, "residual", outputs);
  o.clipMin = static_cast<float>(args.number(kClipMin, "clip"));
  o.clipMax = static_cast<float>(args.number(kClipMax, "clip"));
  if (args.boolean(kIntegers)) {
    o.acc = DeviceArrayHandle::unwrap<int32_t>(args, kOut, "out", outputs);
  } else {
    o.out = DeviceArrayHandle::unwrap<float>(args, kOut, "out", outputs);
  }
  return o;
}

cuda::FaultMark readFault(const Args& args) {
  return {reinterpret_cast<uint64_t*>(DeviceArrayHandle::unwrap<int32_t>(args, kFault, "fault", 2)),
          static_cast<uint32_t>(args.integer(kCall, "call", 0, kMaxRows))};
}

Napi::Value matmulBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "matmulDynamic");
  cuda::UploadedWeights& weights = DeviceWeightsHandle::unwrap(args, kWeights, false);
  cuda::MatmulCall call;
  call.m = args.integer(kShape, "m", 0, kMaxRows);
  const int64_t outputs = elements(args, "out", {call.m, weights.layout.n});
  call.x = DeviceArrayHandle::unwrap<float>(args, kX, "x", elements(args, "x", {call.m, weights.layout.k}));
  std::vector<uint8_t> bits;
  const cuda::Quantization q = readQuantization(args, call.m, "in row", bits);
  call.output = readOutput(args, weights.layout.n, outputs);
  if (call.output.acc != nullptr && weights.layout.blockSize > 0) {
    args.refuse("weights", "one scale a channel for int32 output", "scales by group");
  }
  call.fault = readFault(args);
  throwIfFailed(args.env(), sessionOf(args).matmul(call, weights, q));
  return args.env().Undefined();
}

Napi::Value conv2dBinding(const Napi::CallbackInfo& info) {
  const Args args(info, "conv2dDynamic");
  cuda::UploadedWeights& weights = DeviceWeightsHandle::unwrap(args, kWeights, true);
  const ConvWeightShape& shape = weights.shape;
  Geometry g = readGeometry(args, kShape, GeometryField::kernelH);
  if (g.c != shape.inChannels()) {
    args.refuse("x", std::to_string(shape.inChannels()) + " channels, as the weights have", std::to_string(g.c));
  }
  g.kernelH = shape.kernelH;
  g.kernelW = shape.kernelW;
  g.outChannels = shape.outChannels;
  g.groups = shape.groups;
  throwIfRefused(args.env(), checkConvolution("conv2dDynamic", &g, {}));
  // Each group's channels are padded to chunks of 16 bytes.
  const int64_t pixels = elements(args, "x", {g.paddedH(), g.paddedW(), g.c + 15 * shape.groups});
  if (pixels >= kMaxImageBytes) args.refuse("x", "padded samples below 2^31 elements", std::to_string(pixels));
  cuda::ConvCall call;
  call.n = g.n;
  call.h = g.h;
  call.w = g.w;
  call.c = g.c;
  call.strideH = g.strideH;
  call.strideW = g.strideW;
  call.dilationH = g.dilationH;
  call.dilationW = g.dilationW;
  call.padTop = g.padTop;
  call.padLeft = g.padLeft;
  call.padBottom = g.padBottom;
  call.padRight = g.padRight;
  call.outH = g.outH;
  call.outW = g.outW;
  call.x = DeviceArrayHandle::unwrap<float>(args, kX, "x", g.n * g.h * g.w * g.c);
  std::vector<uint8_t> bits;
  const cuda::Quantization q = readQuantization(args, g.n, "for sample", bits);
  call.output = readOutput(args, shape.outChannels, g.n * g.outH * g.outW * shape.outChannels);
  call.fault = readFault(args);
  throwIfFailed(args.env(), sessionOf(args).conv2d(call, weights, q));
  return args.env().Undefined();
}

// (function, p, q, count, x, y)
Napi::Value unaryBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kFunction, kP, kQ, kCount, kX, kY };
  const Args args(info, "unary");
  const auto function = static_cast<Unary>(args.integer(kFunction, "function", 0, static_cast<int64_t>(Unary::last)));
  if (!cuda::isOnDevice(function)) args.refuse("function", "one that the device has", "another");
  const int64_t count = args.integer(kCount, "count", 0, int64_t{1} << 40);
  cuda::Device& device = sessionOf(args).device();
  device.unary({function, static_cast<float>(args.number(kP, "p")), static_cast<float>(args.number(kQ, "q")),
                DeviceArrayHandle::unwrap<float>(args, kX, "x", count),
                DeviceArrayHandle::unwrap<float>(args, kY, "y", count), count});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// Int32Array [rank, dims…, strides of the first operand…, strides of the second…], as lib/autograd/strides.ts makes it.
cuda::DeviceWalk readWalk(const Args& args, size_t i) {
  cuda::DeviceWalk walk;
  walk.rank = args.array<const int32_t>(i, "walk", 1).data[0];
  if (walk.rank < 0 || walk.rank > kMaxAxes)
    args.refuse("walk", "up to " + std::to_string(kMaxAxes) + " axes", std::to_string(walk.rank));
  const int32_t* at = args.array<const int32_t>(i, "walk", static_cast<size_t>(1 + 3 * walk.rank)).data + 1;
  if (std::any_of(at, at + 3 * walk.rank, [](int32_t v) { return v < 0; })) {
    args.refuse("walk", "no negative number", "one");
  }
  std::copy_n(at, walk.rank, walk.dims);
  std::copy_n(at + walk.rank, walk.rank, walk.first);
  std::copy_n(at + 2 * walk.rank, walk.rank, walk.second);
  for (int axis = 0; axis < walk.rank; ++axis) walk.count = elements(args, "walk", {walk.count, walk.dims[axis]});
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
  enum : size_t { kFunction, kWalk, kA, kB, kY };
  const Args args(info, "binary");
  const auto function = static_cast<Binary>(args.integer(kFunction, "function", 0, static_cast<int64_t>(Binary::last)));
  if (!cuda::isOnDevice(function)) args.refuse("function", "one that the device has", "another");
  const cuda::DeviceWalk walk = readWalk(args, kWalk);
  cuda::Device& device = sessionOf(args).device();
  device.binary({function, walk, DeviceArrayHandle::unwrap<float>(args, kA, "a", reach(walk, walk.first)),
                 DeviceArrayHandle::unwrap<float>(args, kB, "b", reach(walk, walk.second)),
                 DeviceArrayHandle::unwrap<float>(args, kY, "y", walk.count)});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (walk: strides of x, of y; x, y)
Napi::Value copyBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kWalk, kX, kY };
  const Args args(info, "copy");
  const cuda::DeviceWalk walk = readWalk(args, kWalk);
  cuda::Device& device = sessionOf(args).device();
  device.copy({walk, DeviceArrayHandle::unwrap<float>(args, kX, "x", reach(walk, walk.first)),
               DeviceArrayHandle::unwrap<float>(args, kY, "y", reach(walk, walk.second))});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (kind: PoolKind, geometry: Int32Array of GeometryField, x, y)
Napi::Value poolBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kKind, kGeometry, kX, kY };
  const Args args(info, "pool");
  const auto kind = static_cast<PoolKind>(args.integer(kKind, "kind", 0, static_cast<int64_t>(PoolKind::last)));
  const Geometry g = readGeometry(args, kGeometry, GeometryField::count);
  throwIfRefused(args.env(), checkPool("pool", g, {.argument = "geometry"}));
  const auto number = [](int64_t value) { return static_cast<int32_t>(value); };
  const cuda::PoolShape s = {.n = number(g.n),
                             .h = number(g.h),
                             .w = number(g.w),
                             .c = number(g.c),
                             .outH = number(g.outH),
                             .outW = number(g.outW),
                             .kernelH = number(g.kernelH),
                             .kernelW = number(g.kernelW),
                             .strideH = number(g.strideH),
                             .strideW = number(g.strideW),
                             .padTop = number(g.padTop),
                             .padLeft = number(g.padLeft),
                             .padBottom = number(g.padBottom),
                             .padRight = number(g.padRight),
                             .dilationH = number(g.dilationH),
                             .dilationW = number(g.dilationW)};
  const int64_t count = g.n * g.outH * g.outW * g.c;
  cuda::Device& device = sessionOf(args).device();
  device.pool({kind, s, DeviceArrayHandle::unwrap<float>(args, kX, "x", g.n * g.h * g.w * g.c),
               DeviceArrayHandle::unwrap<float>(args, kY, "y", count), count});
  throwIfFailed(args.env(), device.status());
  return args.env().Undefined();
}

// (logits, rows, classes, labels?, reference?, counts, at): counts[2 · at], counts[2 · at + 1] are raised by the rows
// whose class is that of labels, of reference
Napi::Value scoreBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kLogits, kRows, kClasses, kLabels, kReference, kCounts, kAt };
  const Args args(info, "score");
  const int64_t rows = args.integer(kRows, "rows", 0, kMaxRows);
  const int64_t classes = args.integer(kClasses, "classes", 1, kMaxRows);
  const int64_t at = args.integer(kAt, "at", 0, kMaxRows);
  cuda::Device& device = sessionOf(args).device();
  device.score({DeviceArrayHandle::unwrap<float>(args, kLogits, "logits", elements(args, "logits", {rows, classes})),
                rows, static_cast<int32_t>(classes),
                DeviceArrayHandle::optional<int32_t>(args, kLabels, "labels", rows),
                DeviceArrayHandle::optional<int32_t>(args, kReference, "reference", rows),
                DeviceArrayHandle::unwrap<int32_t>(args, kCounts, "counts", 2 * at + 2) + 2 * at});
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
