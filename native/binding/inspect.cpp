// What `faultline inspect` reports: processor, instruction sets, threads, caches, and the oneDNN of this machine.
#include <dlfcn.h>
#include <napi.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "binding/operations.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "dispatch/dispatch.h"

namespace faultline::binding {
namespace {

// The part of oneDNN's dnnl_version_t that has been the same since version 1.
struct DnnlVersion {
  int major;
  int minor;
  int patch;
};

// The version of the shared library, or empty when there is none. Asked at run time: the addon does not need oneDNN.
std::string onednnVersion() {
  for (const char* name : {"libdnnl.so.3", "libdnnl.so.2"}) {
    void* library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) continue;
    using VersionFunction = const DnnlVersion* (*)();
    std::string version;
    if (const auto function = reinterpret_cast<VersionFunction>(dlsym(library, "dnnl_version"))) {
      const DnnlVersion* v = function();
      version = std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
    }
    dlclose(library);
    if (!version.empty()) return version;
  }
  return {};
}

Napi::Array instructionSets(Napi::Env env) {
  Napi::Array isas = Napi::Array::New(env);
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", std::string(isaName(isa)));
    entry.Set("compiled", isaCompiled(isa));
    entry.Set("available", isaAvailable(isa));
    isas.Set(static_cast<uint32_t>(i), entry);
  }
  return isas;
}

// Bytes; 0 where the system does not tell.
Napi::Object caches(Napi::Env env) {
  const auto size = [](int name) { return static_cast<double>(std::max(0l, sysconf(name))); };
  Napi::Object caches = Napi::Object::New(env);
  caches.Set("l1d", size(_SC_LEVEL1_DCACHE_SIZE));
  caches.Set("l2", size(_SC_LEVEL2_CACHE_SIZE));
  caches.Set("l3", size(_SC_LEVEL3_CACHE_SIZE));
  caches.Set("line", size(_SC_LEVEL1_DCACHE_LINESIZE));
  return caches;
}

}  // namespace

Napi::Value inspectBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object report = Napi::Object::New(env);
  report.Set("cpu", cpuModelName());
  report.Set("isas", instructionSets(env));
  report.Set("isa", std::string(isaName(kernels().isa)));
  if (!dispatchStatus()) report.Set("isaError", dispatchStatus().message());
  report.Set("threads", threads());
  report.Set("affinity", cpusByAffinity());
  report.Set("quota", cpusByQuota());
  if (const std::string version = onednnVersion(); !version.empty()) report.Set("onednn", version);
  report.Set("caches", caches(env));
  return report;
}

}  // namespace faultline::binding
