// ONNX Runtime through its C API, opened at run time: one session for a model in memory, its inputs and outputs in
// faultline's memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "onnx_model.h"

namespace faultline::bench {

class OrtSession {
 public:
  struct Tensor {
    onnx::Value value;
    void* data;
  };
  // Throws std::runtime_error with ONNX Runtime's message.
  OrtSession(const std::string& model, int threads, std::vector<Tensor> inputs, std::vector<Tensor> outputs);
  ~OrtSession();
  OrtSession(const OrtSession&) = delete;
  OrtSession& operator=(const OrtSession&) = delete;
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace faultline::bench
