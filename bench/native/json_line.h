// One JSON object on one line of standard output, flushed: how results reach the TypeScript side as they are found.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace faultline::bench {

class JsonLine {
 public:
  explicit JsonLine(std::string_view type) { add("type", type); }
  JsonLine& add(std::string_view key, std::string_view value) {
    begin(key);
    text_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    text_ += '"';
    return *this;
  }
  JsonLine& add(std::string_view key, double value) {
    char number[32];
    std::snprintf(number, sizeof number, "%.10g", value);
    begin(key);
    text_ += number;
    return *this;
  }
  void print() const {
    std::fprintf(stdout, "{%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  void begin(std::string_view key) {
    if (!text_.empty()) text_ += ',';
    text_ += '"';
    text_ += key;
    text_ += "\":";
  }
  std::string text_;
};

}  // namespace faultline::bench
