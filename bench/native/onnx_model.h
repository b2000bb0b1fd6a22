// Writes small ONNX models in memory: just enough of the protobuf wire format for a graph of a few nodes with constant
// operands. Field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto, …).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace faultline::bench::onnx {

// TensorProto.DataType, which ONNX Runtime's C API numbers the same way.
enum class Type : int32_t { f32 = 1, u8 = 2, s8 = 3, s32 = 6 };
size_t sizeOf(Type type);

using Shape = std::vector<int64_t>;

// AttributeProto: one of an integer or a list of integers.
struct Attribute {
  std::string name;
  std::vector<int64_t> values;
  bool list = false;
};

struct Node {
  std::string op;
  std::string domain;  // "" is ONNX itself
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;
};

struct Value {
  std::string name;
  Type type;
  Shape shape;
};

class Model {
 public:
  void input(const Value& value) { append(&graph_, 11, valueInfo(value)); }
  void output(const Value& value) { append(&graph_, 12, valueInfo(value)); }
  void node(const Node& node);
  // A constant: `data` holds the elements in the byte order of this machine, which is that of the format.
  void constant(const Value& value, const void* data);
  std::string serialize() const;

 private:
  static void append(std::string* to, int field, std::string_view bytes);
  static void append(std::string* to, int field, int64_t value);
  static std::string valueInfo(const Value& value);

  std::string graph_;
};

}  // namespace faultline::bench::onnx
