// A fuzzer's bytes read as choices and numbers, and the refusal to go on when a result is not what it must be.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/random.h"

namespace faultline::fuzz {

// Bytes run out soon: from then on every choice is the smallest one. Bulk data comes from a generator.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size), random_(size) {}

  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  int64_t integer(int64_t low, int64_t high) {
    const int64_t word = byte() | int64_t{byte()} << 8;
    return low + word % (high - low + 1);
  }
  bool flag() { return (byte() & 1) != 0; }
  template <typename T, size_t count>
  T oneOf(const T (&values)[count]) {
    return values[byte() % count];
  }

  // A few elements are any bit pattern at all, the rest uniform in ±magnitude.
  std::vector<float> floats(int64_t count, float magnitude) {
    std::vector<float> values = random_.floats(count, magnitude);
    for (int64_t wild = count > 0 ? byte() % 4 : 0; wild > 0; --wild) {
      uint32_t bits = 0;
      for (int i = 0; i < 4; ++i) bits = bits << 8 | byte();
      std::memcpy(&values[static_cast<size_t>(integer(0, count - 1))], &bits, sizeof bits);
    }
    return values;
  }
  std::vector<float> finiteFloats(int64_t count, float magnitude) {
    std::vector<float> values = floats(count, magnitude);
    for (float& v : values) v = __builtin_isfinite(v) ? v : 0.0f;
    return values;
  }
  std::vector<int8_t> codes(int64_t count, int low, int high) {
    std::vector<int8_t> values(static_cast<size_t>(count));
    for (int8_t& v : values) v = static_cast<int8_t>(random_.integer(low, high));
    return values;
  }

 private:
  const uint8_t* data_;
  size_t left_;
  test::Random random_;
};

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace faultline::fuzz
