#include "binding/args.h"

#include <cmath>

namespace faultline::binding {
namespace {

const char* nameOf(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array:
      return "Float32Array";
    case napi_float64_array:
      return "Float64Array";
    case napi_int32_array:
      return "Int32Array";
    case napi_int8_array:
      return "Int8Array";
    case napi_uint8_array:
      return "Uint8Array";
    case napi_uint8_clamped_array:
      return "Uint8ClampedArray";
    case napi_int16_array:
      return "Int16Array";
    case napi_uint16_array:
      return "Uint16Array";
    case napi_uint32_array:
      return "Uint32Array";
    default:
      return "a 64-bit integer array";
  }
}

}  // namespace

Napi::Error toError(Napi::Env env, const Status& status) {
  const auto* data = env.GetInstanceData<EnvironmentData>();
  if (data == nullptr || data->errorClass.IsEmpty()) return Napi::TypeError::New(env, status.message());
  const auto text = [&](const std::string& s) { return Napi::String::New(env, s); };
  return Napi::Error(env, data->errorClass.New({text(status.operation), text(status.argument), text(status.expected),
                                                text(status.received)}));
}

void Args::refuse(const char* argument, std::string expected, std::string received) const {
  throw toError(info_.Env(), Status::invalid(operation_, argument, std::move(expected), std::move(received)));
}

double Args::number(size_t i, const char* name) const {
  if (!info_[i].IsNumber()) refuse(name, "a number", "another type");
  return info_[i].As<Napi::Number>().DoubleValue();
}

int64_t Args::integer(size_t i, const char* name, int64_t min, int64_t max) const {
  const double value = number(i, name);
  if (!(value >= static_cast<double>(min) && value <= static_cast<double>(max)) || value != std::floor(value)) {
    refuse(name, "an integer from " + std::to_string(min) + " to " + std::to_string(max), std::to_string(value));
  }
  return static_cast<int64_t>(value);
}

size_t Args::elements(const char* name, std::initializer_list<int64_t> extents) const {
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t product = 1;
  bool empty = false, fits = true;
  for (const int64_t extent : extents) {
    // Zeros last: what they would hide may be multiplied elsewhere.
    if (extent == 0) {
      empty = true;
    } else {
      fits = fits && !__builtin_mul_overflow(product, extent, &product) && product > 0 && product <= kMost;
    }
  }
  if (!fits) refuse(name, "at most 2^40 elements", "more");
  return empty ? 0 : static_cast<size_t>(product);
}

void* Args::rawArray(size_t i, const char* name, napi_typedarray_type type, size_t length, size_t alignment,
                     size_t* actual) const {
  const napi_env env = info_.Env();
  bool isTypedArray = false;
  napi_is_typedarray(env, info_[i], &isTypedArray);
  if (!isTypedArray) refuse(name, nameOf(type), "no typed array");
  napi_typedarray_type received;
  void* data = nullptr;
  napi_value buffer;
  size_t offset;
  if (napi_get_typedarray_info(env, info_[i], &received, actual, &data, &buffer, &offset) != napi_ok) {
    refuse(name, nameOf(type), "an unreadable typed array");
  }
  if (received != type) refuse(name, nameOf(type), nameOf(received));
  if (*actual < length) {
    bool detached = false;
    napi_is_detached_arraybuffer(env, buffer, &detached);
    if (detached) refuse(name, "a live " + std::string(nameOf(type)), "a detached one");
    refuse(name, "at least " + std::to_string(length) + " elements", std::to_string(*actual));
  }
  if (reinterpret_cast<uintptr_t>(data) % alignment != 0) {
    refuse(name, "memory aligned to " + std::to_string(alignment) + " bytes", "a misaligned view");
  }
  return data;
}

}  // namespace faultline::binding
