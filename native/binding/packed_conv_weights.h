// The JavaScript handle of a packed convolution. dispose() frees the memory at once; using it afterwards is an error.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/args.h"
#include "quant/packed_conv.h"

namespace faultline::binding {

class PackedConvWeightsHandle : public Napi::ObjectWrap<PackedConvWeightsHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PackedConvWeightsHandle(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override { release(env); }

  // The weights behind argument i; throws when it is not a handle or a disposed one.
  static const PackedConv& unwrap(const Args& args, size_t i);

 private:
  void dispose(const Napi::CallbackInfo& info) { release(info.Env()); }
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value codes(const Napi::CallbackInfo& info);
  Napi::Value scales(const Napi::CallbackInfo& info);
  const PackedConv& live(const Napi::CallbackInfo& info) const;
  void release(Napi::Env env);

  std::unique_ptr<PackedConv> conv_;
  int64_t accountedBytes_ = 0;  // as reported to the garbage collector
};

}  // namespace faultline::binding
