// Times the CUDA kernels on data that is on the device already and prints one JSON line a figure:
//   {"op": "matmul.s32", "shape": "4096 4096 4096", "who": "faultline", "us": 123.4, "rounds": 15}
// Rounds of all contenders alternate; a figure is the median of the rounds, each of several calls between two events.
// The same operands for all, checked for equal results first; scripts/cuda-verify.sh makes the report.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include "cublaslt.h"
#include "cuda/session.h"
#include "cuda/stream.h"

namespace {

using namespace faultline;
using namespace faultline::cuda;

constexpr int kRounds = 15;
constexpr double kRoundMs = 4.0;
constexpr size_t kWorkspaceBytes = size_t{64} << 20;

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "cuda_bench: %s\n", cudaGetErrorString(error));
  std::exit(1);
}

// xorshift: the same operands in every run.
struct Generator {
  uint32_t state = 0x9e3779b9u;
  uint32_t next() {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  }
};

template <typename T>
T* onDevice(const std::vector<T>& values) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, values.size() * sizeof(T)));
  check(cudaMemcpy(memory, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return static_cast<T*>(memory);
}
template <typename T>
T* reserve(size_t count) {
  return onDevice(std::vector<T>(count));
}

std::vector<int8_t> weightCodes(int64_t count, int largest) {
  Generator g;
  std::vector<int8_t> codes(static_cast<size_t>(count));
  for (int8_t& c : codes)
    c = static_cast<int8_t>(static_cast<int>(g.next() % static_cast<uint32_t>(2 * largest + 1)) - largest);
  return codes;
}
std::vector<float> values(int64_t count) {
  Generator g;
  std::vector<float> x(static_cast<size_t>(count));
  for (float& v : x) v = static_cast<float>(g.next() % 20001) / 10000.0f - 0.8f;
  return x;
}

DeviceWeights upload(const WeightImage& image) {
  return {image.layout, onDevice(image.codes), onDevice(image.sums), onDevice(image.scales)};
}

struct Contender {
  const char* who;
  std::function<void()> call;
};

class Stopwatch {
 public:
  explicit Stopwatch(cudaStream_t stream) : stream_(stream) {
    check(cudaEventCreate(&begin_));
    check(cudaEventCreate(&end_));
  }
  // Milliseconds of `calls` calls.
  double time(const std::function<void()>& call, int calls) {
    check(cudaEventRecord(begin_, stream_));
    for (int i = 0; i < calls; ++i) call();
    check(cudaEventRecord(end_, stream_));
    check(cudaEventSynchronize(end_));
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_, end_));
    return ms;
  }

 private:
  cudaStream_t stream_;
  cudaEvent_t begin_, end_;
};

void race(StreamQueue& queue, const char* op, const std::string& shape, const std::vector<Contender>& contenders) {
  Stopwatch watch(queue.stream);
  std::vector<std::vector<double>> us(contenders.size());
  std::vector<int> calls;
  for (const Contender& c : contenders) {
    watch.time(c.call, 3);
    const double once = watch.time(c.call, 5) / 5;
    calls.push_back(std::clamp(static_cast<int>(kRoundMs / std::max(once, 1e-4)), 1, 2000));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      us[i].push_back(watch.time(contenders[i].call, calls[i]) / calls[i] * 1000);
    }
  }
  check(queue.error);
  for (size_t i = 0; i < contenders.size(); ++i) {
    std::sort(us[i].begin(), us[i].end());
    std::printf("{\"op\": \"%s\", \"shape\": \"%s\", \"who\": \"%s\", \"us\": %.3f, \"rounds\": %d}\n", op,
                shape.c_str(), contenders[i].who, us[i][kRounds / 2], kRounds);
  }
  std::fflush(stdout);
}

std::string shapeOf(std::initializer_list<int64_t> dims) {
  std::string text;
  for (const int64_t dim : dims) text += (text.empty() ? "" : " ") + std::to_string(dim);
  return text;
}

// u8 codes (up to 127, which are s8 too) times s8 weights to s32, zero points 0: the product alone.
void integerProduct(StreamQueue& queue, bench::CublasLt* cublas, int64_t m, int64_t n, int64_t k) {
  const std::vector<int8_t> w = weightCodes(n * k, 127);
  const WeightImage image =
      matrixImage(w.data(), std::vector<float>(static_cast<size_t>(n), 1.0f).data(), n, k, false, 0);
  const DeviceWeights weights = upload(image);
  std::vector<uint8_t> codes(static_cast<size_t>(m * k));
  Generator g;
  for (uint8_t& c : codes) c = static_cast<uint8_t>(g.next() % 128);
  RowMap a;
  a.codes = onDevice(codes);
  a.rowBytes = k;
  Output output;
  output.acc = reserve<int32_t>(static_cast<size_t>(m * n));
  output.zeroPoint = reserve<int32_t>(static_cast<size_t>(m));
  output.rowScale = reserve<float>(static_cast<size_t>(m));
  std::vector<Contender> contenders = {{"faultline", [&] { multiply(queue, a, m, weights, output); }}};
  const int8_t* plain = onDevice(w);
  int32_t* theirs = reserve<int32_t>(static_cast<size_t>(m * n));
  uint8_t* workspace = reserve<uint8_t>(kWorkspaceBytes);
  const auto peer = [&] {
    return cublas->multiply(reinterpret_cast<const int8_t*>(a.codes), plain, theirs, m, n, k, workspace,
                            kWorkspaceBytes, queue.stream);
  };
  contenders[0].call();
  std::vector<int32_t> ours(static_cast<size_t>(m * n)), other(ours.size());
  check(cudaStreamSynchronize(queue.stream));
  check(cudaMemcpy(ours.data(), output.acc, ours.size() * 4, cudaMemcpyDeviceToHost));
  if (cublas != nullptr) {
    const bool done = peer();
    check(cudaStreamSynchronize(queue.stream));
    check(cudaMemcpy(other.data(), theirs, other.size() * 4, cudaMemcpyDeviceToHost));
    if (done && ours == other) {
      contenders.push_back({"cuBLASLt", [&] { peer(); }});
    } else {
      std::printf("{\"op\": \"matmul.s32\", \"who\": \"cuBLASLt\", \"absent\": \"%s\"}\n",
                  done ? "its result differs" : "it has no algorithm for the shape");
    }
  }
  race(queue, "matmul.s32", shapeOf({m, n, k}), contenders);
}

// The whole dynamic product, fp32 in and out; int8 and int4 beside each other.
void dynamicProduct(StreamQueue& queue, const char* op, int64_t m, int64_t n, int64_t k, bool onlyProduct) {
  std::vector<Contender> contenders;
  std::vector<MatmulCall> calls(2);
  std::vector<Workspace> spaces(2);
  const float* x = onDevice(values(m * k));
  float* out = reserve<float>(static_cast<size_t>(m * n));
  for (const bool int4 : {false, true}) {
    const std::vector<int8_t> w = weightCodes(n * k, int4 ? 7 : 127);
    MatmulCall& call = calls[int4];
    call.x = x;
    call.m = m;
    call.weights =
        upload(matrixImage(w.data(), std::vector<float>(static_cast<size_t>(n), 0.01f).data(), n, k, int4, 0));
    call.output.out = out;
    call.output.clipMin = -3e38f;
    call.output.clipMax = 3e38f;
    const Activations a = activationsOf(call);
    spaces[int4] = carve(a, reserve<uint8_t>(carve(a, nullptr).bytes));
    matmulDynamic(queue, call, spaces[int4]);
    contenders.push_back({int4 ? "int4" : "int8", [&queue, &call, &space = spaces[int4], onlyProduct] {
                            if (!onlyProduct) return matmulDynamic(queue, call, space);
                            const Activations activations = activationsOf(call);
                            RowMap map;
                            map.codes = space.codes;
                            map.rowBytes = activations.groupBytes;
                            Output output = call.output;
                            output.rowScale = space.scale;
                            output.zeroPoint = space.zeroPoint;
                            multiply(queue, map, call.m, call.weights, output);
                          }});
  }
  race(queue, op, shapeOf({m, n, k}), contenders);
}

struct ConvShape {
  int64_t size, channels, out, kernel, stride;
};

void dynamicConvolution(StreamQueue& queue, int64_t batch, const ConvShape& s) {
  ConvWeightShape shape;
  shape.outChannels = s.out;
  shape.kernelH = shape.kernelW = s.kernel;
  shape.groupChannels = s.channels;
  const std::vector<int8_t> w = weightCodes(s.out * shape.k(), 127);
  const std::vector<float> scales(static_cast<size_t>(s.out), 0.01f);
  ConvCall call;
  call.x = onDevice(values(batch * s.size * s.size * s.channels));
  call.n = batch;
  call.h = call.w = s.size;
  call.c = s.channels;
  call.strideH = call.strideW = s.stride;
  call.padTop = call.padLeft = call.padBottom = call.padRight = s.kernel / 2;
  call.kernelH = call.kernelW = s.kernel;
  call.outH = call.outW = (s.size + 2 * (s.kernel / 2) - s.kernel) / s.stride + 1;
  call.weights = upload(convolutionImage(w.data(), scales.data(), shape, false));
  call.output.out = reserve<float>(static_cast<size_t>(batch * call.outH * call.outW * s.out));
  call.output.clipMin = 0.0f;
  call.output.clipMax = 3e38f;
  const Activations a = activationsOf(call);
  call.chunkOffset = onDevice(chunkOffsets(shape, a.paddedW() * a.pixelBytes(), a.pixelBytes()));
  const Workspace space = carve(a, reserve<uint8_t>(carve(a, nullptr).bytes));
  race(queue, "conv.dynamic", shapeOf({batch, s.size, s.size, s.channels, s.out, s.kernel, s.stride}),
       {{"faultline", [&] { conv2dDynamic(queue, call, space); }}});
}

}  // namespace

int main() {
  DeviceStatus status;
  const std::unique_ptr<Device> device = openDevice(&status);
  if (!device) {
    std::fprintf(stderr, "cuda_bench: %s\n", status.message.c_str());
    return 1;
  }
  const DeviceInfo& info = device->info();
  std::printf("{\"device\": \"%s\", \"computeCapability\": \"%d.%d\", \"driver\": %d, \"runtime\": %d}\n",
              info.name.c_str(), info.computeMajor, info.computeMinor, info.driverVersion, info.runtimeVersion);
  StreamQueue queue;
  check(cudaStreamCreateWithFlags(&queue.stream, cudaStreamNonBlocking));
  std::string why;
  const std::unique_ptr<bench::CublasLt> cublas = bench::CublasLt::open(&why);
  if (!cublas) std::printf("{\"op\": \"matmul.s32\", \"who\": \"cuBLASLt\", \"absent\": \"%s\"}\n", why.c_str());
  for (const int64_t size : {1024, 4096}) integerProduct(queue, cublas.get(), size, size, size);
  dynamicProduct(queue, "matmul.dynamic", 4096, 4096, 4096, false);
  for (const int64_t size : {4096, 8192}) {
    for (const int64_t m : {1, 4, 16}) {
      dynamicProduct(queue, "matmul.few", m, size, size, true);
      dynamicProduct(queue, "matmul.fewDynamic", m, size, size, false);
    }
  }
  // resnet18 at 224 x 224.
  for (const ConvShape& s :
       {ConvShape{56, 64, 64, 3, 1}, ConvShape{56, 64, 128, 3, 2}, ConvShape{28, 128, 128, 3, 1},
        ConvShape{28, 128, 256, 3, 2}, ConvShape{14, 256, 256, 3, 1}, ConvShape{14, 256, 512, 3, 2},
        ConvShape{7, 512, 512, 3, 1}, ConvShape{56, 64, 128, 1, 2}}) {
    dynamicConvolution(queue, 256, s);
  }
  check(cudaDeviceSynchronize());
  return 0;
}
