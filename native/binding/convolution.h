// The JavaScript handle of a float32 convolution of one geometry: its primitives and its copy of the weights.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/args.h"
#include "dnn/convolution.h"

namespace faultline::binding {

class ConvolutionHandle : public Napi::ObjectWrap<ConvolutionHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ConvolutionHandle(const Napi::CallbackInfo& info);

 private:
  void forward(const Napi::CallbackInfo& info);
  void backwardData(const Napi::CallbackInfo& info);
  void backwardWeights(const Napi::CallbackInfo& info);

  std::unique_ptr<dnn::Convolution> convolution_;
};

}  // namespace faultline::binding
