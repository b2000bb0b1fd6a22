// ONNX Runtime's C API is a table of function pointers that only ever grows at its end, so a position, once published,
// holds for every later version. Those used here all belong to version 1 of the table.
#include "ort_session.h"

#include <dlfcn.h>

#include <stdexcept>

#include "implementations.h"

namespace faultline::bench {
namespace {

constexpr uint32_t kApiVersion = 1;

enum Position {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSessionFromArray = 8,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
  kReleaseStatus = 93,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
};

constexpr int kLogErrors = 3;
constexpr int kAllOptimizations = 99;
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;

struct ApiBase {
  const void* const* (*getApi)(uint32_t version);
  const char* (*version)();
};

struct Runtime {
  const void* const* table = nullptr;
  std::string version;
  void* env = nullptr;
  void* memory = nullptr;
};
Runtime runtime;

// Calls the function at a position of the table.
template <typename Result, typename... Args>
Result call(Position at, Args... args) {
  return reinterpret_cast<Result (*)(Args...)>(const_cast<void*>(runtime.table[at]))(args...);
}

// Calls one that returns a status, and throws its message when it is not null.
template <typename... Args>
void checked(Position at, Args... args) {
  void* status = call<void*>(at, args...);
  if (status == nullptr) return;
  const std::string message = call<const char*>(kGetErrorMessage, static_cast<const void*>(status));
  call<void>(kReleaseStatus, status);
  throw std::runtime_error(message);
}

}  // namespace

std::string openOnnxRuntime(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return dlerror();
  auto getBase = reinterpret_cast<const ApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (getBase == nullptr) return library + ": expected the symbol OrtGetApiBase, received none";
  const ApiBase* base = getBase();
  runtime.table = base->getApi(kApiVersion);
  if (runtime.table == nullptr) return library + ": expected version 1 of the C API, received none";
  try {
    checked(kCreateEnv, kLogErrors, "faultline_bench", &runtime.env);
    checked(kCreateCpuMemoryInfo, kDeviceAllocator, kDefaultMemory, &runtime.memory);
  } catch (const std::runtime_error& e) {
    return library + ": " + e.what();
  }
  runtime.version = base->version();
  return {};
}

std::string onnxRuntimeVersion() { return runtime.version; }

struct OrtSession::State {
  void* session = nullptr;
  std::vector<Tensor> inputs, outputs;
  std::vector<const char*> inputNames, outputNames;
  std::vector<void*> inputValues, outputValues;

  ~State() {
    for (void* v : inputValues) call<void>(kReleaseValue, v);
    for (void* v : outputValues) call<void>(kReleaseValue, v);
    if (session != nullptr) call<void>(kReleaseSession, session);
  }
};

namespace {

void bindTensors(const std::vector<OrtSession::Tensor>& tensors, std::vector<const char*>* names,
                 std::vector<void*>* values) {
  for (const OrtSession::Tensor& t : tensors) {
    size_t bytes = onnx::sizeOf(t.value.type);
    for (const int64_t size : t.value.shape) bytes *= static_cast<size_t>(size);
    void* value = nullptr;
    checked(kCreateTensorWithData, static_cast<const void*>(runtime.memory), t.data, bytes, t.value.shape.data(),
            t.value.shape.size(), static_cast<int>(t.value.type), &value);
    names->push_back(t.value.name.c_str());
    values->push_back(value);
  }
}

}  // namespace

OrtSession::OrtSession(const std::string& model, int threads, std::vector<Tensor> inputs, std::vector<Tensor> outputs)
    : state_(std::make_unique<State>()) {
  void* options = nullptr;
  checked(kCreateSessionOptions, &options);
  try {
    checked(kSetGraphOptimizationLevel, options, kAllOptimizations);
    checked(kSetIntraOpNumThreads, options, threads);
    checked(kSetInterOpNumThreads, options, 1);
    checked(kCreateSessionFromArray, static_cast<const void*>(runtime.env), static_cast<const void*>(model.data()),
            model.size(), static_cast<const void*>(options), &state_->session);
  } catch (...) {
    call<void>(kReleaseSessionOptions, options);
    throw;
  }
  call<void>(kReleaseSessionOptions, options);
  state_->inputs = std::move(inputs);
  state_->outputs = std::move(outputs);
  bindTensors(state_->inputs, &state_->inputNames, &state_->inputValues);
  bindTensors(state_->outputs, &state_->outputNames, &state_->outputValues);
}

OrtSession::~OrtSession() = default;

void OrtSession::run() {
  checked(kRun, state_->session, static_cast<const void*>(nullptr), state_->inputNames.data(),
          state_->inputValues.data(), state_->inputValues.size(), state_->outputNames.data(),
          state_->outputNames.size(), state_->outputValues.data());
}

}  // namespace faultline::bench
