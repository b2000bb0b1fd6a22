// Arguments from JavaScript, checked: typed arrays become spans, anything unexpected becomes an InvalidArgumentError.
//
// The TypeScript layer checks first and words its errors for people; these checks make a wrong call harmless.
#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/status.h"

namespace faultline::binding {

// Kept per environment (the main thread and every worker have one).
struct EnvironmentData {
  Napi::FunctionReference errorClass;  // InvalidArgumentError(operation, argument, expected, received)
};

// A JavaScript exception for a refusal; throw it.
Napi::Error toError(Napi::Env env, const Status& status);
inline void throwIfRefused(Napi::Env env, const Status& status) {
  if (!status) throw toError(env, status);
}

template <typename T>
struct Span {
  T* data = nullptr;
  size_t length = 0;
};

// One call's arguments by position, for one operation.
class Args {
 public:
  Args(const Napi::CallbackInfo& info, const char* operation) : info_(info), operation_(operation) {}

  Napi::Env env() const { return info_.Env(); }
  [[noreturn]] void refuse(const char* argument, std::string expected, std::string received) const;

  int64_t integer(size_t i, const char* name, int64_t min, int64_t max) const;
  double number(size_t i, const char* name) const;
  // The product of extents, each at least 0: elements of an array. Refuses more than any array has; no other product of
  // arguments is taken in this folder.
  size_t elements(const char* name, std::initializer_list<int64_t> extents) const;
  bool boolean(size_t i) const { return info_[i].ToBoolean().Value(); }
  bool absent(size_t i) const { return info_[i].IsUndefined() || info_[i].IsNull(); }
  Napi::Value at(size_t i) const { return info_[i]; }

  // A typed array of exactly this element type with at least `length` elements, aligned for T.
  template <typename T>
  Span<T> array(size_t i, const char* name, size_t length) const {
    Span<T> span;
    span.data = static_cast<T*>(rawArray(i, name, typeOf<T>(), length, alignof(T), &span.length));
    return span;
  }
  template <typename T>
  Span<T> optionalArray(size_t i, const char* name, size_t length) const {
    return absent(i) ? Span<T>{} : array<T>(i, name, length);
  }
  // A copy of all of it, for what is checked and then used: whoever shares the buffer may change it in between.
  template <typename T>
  std::vector<T> copy(size_t i, const char* name, size_t length) const {
    const Span<const T> span = array<const T>(i, name, length);
    return std::vector<T>(span.data, span.data + span.length);
  }
  // True when argument i is a typed array with elements of type T.
  template <typename T>
  bool isArrayOf(size_t i) const {
    return info_[i].IsTypedArray() && info_[i].As<Napi::TypedArray>().TypedArrayType() == typeOf<T>();
  }

 private:
  template <typename T>
  static constexpr napi_typedarray_type typeOf() {
    using U = std::remove_const_t<T>;
    if constexpr (std::is_same_v<U, float>) return napi_float32_array;
    if constexpr (std::is_same_v<U, double>) return napi_float64_array;
    if constexpr (std::is_same_v<U, int32_t>) return napi_int32_array;
    if constexpr (std::is_same_v<U, int16_t>) return napi_int16_array;
    if constexpr (std::is_same_v<U, uint16_t>) return napi_uint16_array;
    if constexpr (std::is_same_v<U, int8_t>) return napi_int8_array;
    static_assert(std::is_same_v<U, float> || std::is_same_v<U, double> || std::is_same_v<U, int32_t> ||
                  std::is_same_v<U, int16_t> || std::is_same_v<U, uint16_t> || std::is_same_v<U, int8_t> ||
                  std::is_same_v<U, uint8_t>);
    return napi_uint8_array;
  }
  void* rawArray(size_t i, const char* name, napi_typedarray_type type, size_t length, size_t alignment,
                 size_t* actual) const;

  const Napi::CallbackInfo& info_;
  const char* operation_;
};

}  // namespace faultline::binding
