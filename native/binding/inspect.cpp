// What `faultline inspect` reports: processor, instruction sets, threads, caches, and the oneDNN of this machine.
#include <napi.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "binding/operations.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "dispatch/dispatch.h"
#include "dnn/version.h"

namespace faultline::binding {
namespace {

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

// Bytes; 0 where the system does not report it.
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
  report.Set("mostThreads", mostThreads());
  report.Set("affinity", cpusByAffinity());
  report.Set("quota", cpusByQuota());
  report.Set("onednn", dnn::version());
  report.Set("caches", caches(env));
  return report;
}

}  // namespace faultline::binding
