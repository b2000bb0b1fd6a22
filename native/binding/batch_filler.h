// The JavaScript handle of a batch that is filled in a separate thread, while JavaScript continues.
#pragma once

#include <napi.h>

#include <cstdint>
#include <future>
#include <vector>

#include "binding/args.h"

namespace faultline::binding {

class BatchFillerHandle : public Napi::ObjectWrap<BatchFillerHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit BatchFillerHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<BatchFillerHandle>(info) {}
  ~BatchFillerHandle() override;

 private:
  void start(const Napi::CallbackInfo& info);
  void wait(const Napi::CallbackInfo& info);

  std::future<void> filling_;
  // What the thread reads and writes, kept for the next batch.
  std::vector<uint8_t> bytes_;
  std::vector<float> floats_, table_, inputs_;
  std::vector<int32_t> placement_;
};

}  // namespace faultline::binding
