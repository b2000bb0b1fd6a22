// The suite that shows that all instruction sets agree: seeded random operations, one hash per family over the bits of
// all outputs. The same source runs natively, under emulators and on other architectures; run.sh compares the hashes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace faultline::isa {

// FNV-1a over 32-bit words: order matters, a changed bit changes the hash.
class Hash {
 public:
  void add(uint32_t word) { value_ = (value_ ^ word) * 0x100000001b3ull; }
  void add(int32_t word) { add(static_cast<uint32_t>(word)); }
  void add(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  template <typename T>
  void add(const std::vector<T>& values) {
    for (const T v : values) add(v);
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325ull;
};

// One family of operations: its hash, and what went wrong on the way.
class Family {
 public:
  explicit Family(std::string name) : name_(std::move(name)) {}
  Hash& hash() { return hash_; }
  void count() { ++cases_; }
  // A result that has to be the same whatever the batch, the position and the threads.
  void require(bool holds, const char* what) {
    if (holds) return;
    ++failures_;
    std::fprintf(stderr, "%s: case %d: %s\n", name_.c_str(), cases_, what);
  }
  // Prints "family hash cases"; false when something failed.
  bool print() const {
    std::printf("%-22s %016llx %5d cases\n", name_.c_str(), static_cast<unsigned long long>(hash_.value()), cases_);
    return failures_ == 0;
  }

 private:
  std::string name_;
  Hash hash_;
  int cases_ = 0;
  int failures_ = 0;
};

template <typename T>
bool sameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// Each prints its families; false when something failed.
bool runMatmul();
bool runConv();
bool runOnnx();

}  // namespace faultline::isa
