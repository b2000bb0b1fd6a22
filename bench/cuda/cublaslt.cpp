#include "cublaslt.h"

#include <dlfcn.h>

#include <map>
#include <tuple>

namespace faultline::bench {
namespace {

// The few names that are needed of cublasLt.h (CUDA 11 to 13), so that its headers are not.
constexpr int kSuccess = 0;
constexpr int kInt8 = 3, kInt32 = 10;  // cudaDataType_t: CUDA_R_8I, CUDA_R_32I
constexpr int kCompute32I = 72;        // CUBLAS_COMPUTE_32I
constexpr int kTransA = 3;             // CUBLASLT_MATMUL_DESC_TRANSA
constexpr int32_t kTranspose = 1;      // CUBLAS_OP_T
constexpr int kMaxWorkspaceBytes = 1;  // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
struct Heuristic {                     // cublasLtMatmulHeuristicResult_t
  uint64_t algorithm[8];
  size_t workspaceSize;
  int state;
  float wavesCount;
  int reserved[4];
};
using Handle = void*;

struct Functions {
  int (*create)(Handle*);
  int (*destroy)(Handle);
  int (*descCreate)(Handle*, int compute, int scale);
  int (*descSet)(Handle, int attribute, const void*, size_t);
  int (*layoutCreate)(Handle*, int type, uint64_t rows, uint64_t columns, int64_t ld);
  int (*preferenceCreate)(Handle*);
  int (*preferenceSet)(Handle, int attribute, const void*, size_t);
  int (*heuristic)(Handle, Handle desc, Handle a, Handle b, Handle c, Handle d, Handle preference, int requested,
                   Heuristic*, int* found);
  int (*matmul)(Handle, Handle desc, const void* alpha, const void* a, Handle aLayout, const void* b, Handle bLayout,
                const void* beta, const void* c, Handle cLayout, void* d, Handle dLayout, const uint64_t* algorithm,
                void* workspace, size_t workspaceBytes, void* stream);
};

// Prepared for one shape. Descriptors live as long as the program.
struct Plan {
  bool there = false;
  Handle desc = nullptr, a = nullptr, b = nullptr, c = nullptr;
  Heuristic algorithm = {};
};

class Library final : public CublasLt {
 public:
  Library(const Functions& functions, Handle handle) : f_(functions), handle_(handle) {}
  ~Library() override { f_.destroy(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool multiply(const int8_t* a, const int8_t* b, int32_t* c, int64_t m, int64_t n, int64_t k, void* workspace,
                size_t workspaceBytes, void* stream) override {
    const Plan& plan = planFor(m, n, k, workspaceBytes);
    if (!plan.there) return false;
    // Column-major: its first operand is ours of weights, transposed; the result [n, m] is our [m, n].
    const int32_t one = 1, zero = 0;
    return f_.matmul(handle_, plan.desc, &one, b, plan.a, a, plan.b, &zero, c, plan.c, c, plan.c,
                     plan.algorithm.algorithm, workspace, workspaceBytes, stream) == kSuccess;
  }

 private:
  const Plan& planFor(int64_t m, int64_t n, int64_t k, size_t workspaceBytes) {
    Plan& plan = plans_[{m, n, k}];
    if (plan.desc != nullptr) return plan;
    Handle preference = nullptr;
    const uint64_t rows = static_cast<uint64_t>(n), columns = static_cast<uint64_t>(m),
                   depth = static_cast<uint64_t>(k);
    int found = 0;
    plan.there =
        f_.descCreate(&plan.desc, kCompute32I, kInt32) == kSuccess &&
        f_.descSet(plan.desc, kTransA, &kTranspose, sizeof(kTranspose)) == kSuccess &&
        f_.layoutCreate(&plan.a, kInt8, depth, rows, k) == kSuccess &&
        f_.layoutCreate(&plan.b, kInt8, depth, columns, k) == kSuccess &&
        f_.layoutCreate(&plan.c, kInt32, rows, columns, n) == kSuccess &&
        f_.preferenceCreate(&preference) == kSuccess &&
        f_.preferenceSet(preference, kMaxWorkspaceBytes, &workspaceBytes, sizeof(workspaceBytes)) == kSuccess &&
        f_.heuristic(handle_, plan.desc, plan.a, plan.b, plan.c, plan.c, preference, 1, &plan.algorithm, &found) ==
            kSuccess &&
        found == 1 && plan.algorithm.state == kSuccess;
    return plan;
  }

  Functions f_;
  Handle handle_;
  std::map<std::tuple<int64_t, int64_t, int64_t>, Plan> plans_;
};

template <typename F>
bool find(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  return *function != nullptr;
}

}  // namespace

std::unique_ptr<CublasLt> CublasLt::open(std::string* why) {
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    Functions f = {};
    Handle handle = nullptr;
    if (!find(library, "cublasLtCreate", &f.create) || !find(library, "cublasLtDestroy", &f.destroy) ||
        !find(library, "cublasLtMatmulDescCreate", &f.descCreate) ||
        !find(library, "cublasLtMatmulDescSetAttribute", &f.descSet) ||
        !find(library, "cublasLtMatrixLayoutCreate", &f.layoutCreate) ||
        !find(library, "cublasLtMatmulPreferenceCreate", &f.preferenceCreate) ||
        !find(library, "cublasLtMatmulPreferenceSetAttribute", &f.preferenceSet) ||
        !find(library, "cublasLtMatmulAlgoGetHeuristic", &f.heuristic) || !find(library, "cublasLtMatmul", &f.matmul)) {
      *why = std::string(name) + " lacks a function";
      continue;
    }
    if (f.create(&handle) != kSuccess) {
      *why = std::string(name) + " does not start";
      continue;
    }
    return std::make_unique<Library>(f, handle);
  }
  if (why->empty()) *why = "no libcublasLt.so on the library path";
  return nullptr;
}

}  // namespace faultline::bench
