// Arguments that the ONNX integer operators share: byte codes and their zero points.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "binding/args.h"

namespace faultline::binding {

inline constexpr int64_t kMaxDimension = std::numeric_limits<int32_t>::max();
// Codes of one byte, u8 or s8.
struct Bytes {
  uint8_t* data;
  bool isSigned;
};
inline Bytes readBytes(const Args& args, size_t i, const char* name, size_t length) {
  if (args.isArrayOf<int8_t>(i)) {
    return {reinterpret_cast<uint8_t*>(args.array<int8_t>(i, name, length).data), true};
  }
  return {args.array<uint8_t>(i, name, length).data, false};
}

inline int32_t lowestCode(bool isSigned) { return isSigned ? INT8_MIN : 0; }
inline int32_t highestCode(bool isSigned) { return isSigned ? INT8_MAX : UINT8_MAX; }

// Zero points of `isSigned` codes: absent, one (step 0), or `each` of them (step 1).
struct ZeroPoints {
  const int32_t* data = nullptr;
  int64_t step = 0;
};
inline ZeroPoints readZeroPoints(const Args& args, size_t i, const char* name, size_t each, bool isSigned) {
  if (args.absent(i)) return {};
  const auto span = args.array<const int32_t>(i, name, 1);
  const size_t count = span.length == 1 ? 1 : each;
  if (span.length < count) args.refuse(name, std::to_string(each) + " elements", std::to_string(span.length));
  for (size_t j = 0; j < count; ++j) {
    if (span.data[j] < lowestCode(isSigned) || span.data[j] > highestCode(isSigned)) {
      args.refuse(name, isSigned ? "-128 to 127" : "0 to 255", std::to_string(span.data[j]));
    }
  }
  return {span.data, count == 1 ? 0 : 1};
}

}  // namespace faultline::binding
