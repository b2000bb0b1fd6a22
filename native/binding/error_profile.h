// The JavaScript handle of an error profile: fed batch after batch, read at any time.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/args.h"
#include "ops/error_profile.h"

namespace faultline::binding {

class ErrorProfileHandle : public Napi::ObjectWrap<ErrorProfileHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ErrorProfileHandle(const Napi::CallbackInfo& info);

 private:
  void add(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo&) { profile_.reset(); }
  ErrorProfile& live(const Args& args) const;

  std::unique_ptr<ErrorProfile> profile_;
};

}  // namespace faultline::binding
