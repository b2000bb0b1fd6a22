// The JavaScript handle of the right operand of an ONNX integer operator, packed once.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/args.h"
#include "ops/onnx_integer_conv.h"

namespace faultline::binding {

// A batch of matrices B[k, n], or the weights of a convolution.
struct IntegerOperand {
  bool isConv = false;
  // Matrices.
  int64_t k = 0;
  int64_t n = 0;
  std::vector<IntegerWeights> matrices;
  // Convolution: channels, window and groups are set.
  IntegerConvShape shape;
  IntegerConvWeights conv;
};

class IntegerOperandHandle : public Napi::ObjectWrap<IntegerOperandHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit IntegerOperandHandle(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override { release(env); }

  // The operand behind argument i; throws when it is not a handle, a disposed one, or one of the other kind.
  static const IntegerOperand& unwrap(const Args& args, size_t i, const char* name, bool isConv);

 private:
  void dispose(const Napi::CallbackInfo& info) { release(info.Env()); }
  Napi::Value bytes(const Napi::CallbackInfo& info);
  void release(Napi::Env env);

  std::unique_ptr<IntegerOperand> operand_;
  int64_t accountedBytes_ = 0;  // as reported to the garbage collector
};

}  // namespace faultline::binding
