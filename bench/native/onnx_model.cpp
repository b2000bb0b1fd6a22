// See onnx_model.h. Wire format: a field is a varint key (number · 8 + type) and its value; type 0 is a varint, type 2
// a length and that many bytes, which is also how messages nest.
#include "onnx_model.h"

namespace faultline::bench::onnx {
namespace {

// Loaded by every ONNX Runtime since 1.10: QLinearConv, ConvInteger and DynamicQuantizeLinear have not changed since
// operator set 11, the com.microsoft operators are all version 1.
constexpr int64_t kIrVersion = 8;
constexpr int64_t kOpset = 17;
constexpr int64_t kMicrosoftOpset = 1;

enum AttributeType : int64_t { kInt = 2, kInts = 7 };

void varint(std::string* to, uint64_t value) {
  while (value >= 0x80) {
    to->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to->push_back(static_cast<char>(value));
}

}  // namespace

size_t sizeOf(Type type) { return type == Type::f32 || type == Type::s32 ? 4 : 1; }

void Model::append(std::string* to, int field, std::string_view bytes) {
  varint(to, static_cast<uint64_t>(field) * 8 + 2);
  varint(to, bytes.size());
  to->append(bytes);
}

void Model::append(std::string* to, int field, int64_t value) {
  varint(to, static_cast<uint64_t>(field) * 8);
  varint(to, static_cast<uint64_t>(value));
}

std::string Model::valueInfo(const Value& value) {
  std::string shape, tensor, type, info;
  for (const int64_t size : value.shape) {
    std::string dim;
    append(&dim, 1, size);
    append(&shape, 1, dim);
  }
  append(&tensor, 1, static_cast<int64_t>(value.type));
  append(&tensor, 2, shape);
  append(&type, 1, tensor);
  append(&info, 1, value.name);
  append(&info, 2, type);
  return info;
}

void Model::node(const Node& node) {
  std::string text;
  for (const std::string& name : node.inputs) append(&text, 1, name);
  for (const std::string& name : node.outputs) append(&text, 2, name);
  append(&text, 4, node.op);
  for (const Attribute& a : node.attributes) {
    std::string attribute;
    append(&attribute, 1, a.name);
    for (const int64_t v : a.values) append(&attribute, a.list ? 8 : 3, v);
    append(&attribute, 20, static_cast<int64_t>(a.list ? kInts : kInt));
    append(&text, 5, attribute);
  }
  append(&text, 7, node.domain);
  append(&graph_, 1, text);
}

void Model::constant(const Value& value, const void* data) {
  std::string tensor;
  size_t bytes = sizeOf(value.type);
  for (const int64_t size : value.shape) {
    append(&tensor, 1, size);
    bytes *= static_cast<size_t>(size);
  }
  append(&tensor, 2, static_cast<int64_t>(value.type));
  append(&tensor, 8, value.name);
  append(&tensor, 9, std::string_view(static_cast<const char*>(data), bytes));
  append(&graph_, 5, tensor);
}

std::string Model::serialize() const {
  std::string opset, microsoft, model, graph = graph_;
  append(&graph, 2, "bench");
  append(&opset, 1, "");
  append(&opset, 2, kOpset);
  append(&microsoft, 1, "com.microsoft");
  append(&microsoft, 2, kMicrosoftOpset);
  append(&model, 1, kIrVersion);
  append(&model, 7, graph);
  append(&model, 8, opset);
  append(&model, 8, microsoft);
  return model;
}

}  // namespace faultline::bench::onnx
