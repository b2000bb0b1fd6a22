// One JSON object on one line of standard output, flushed: how results reach the TypeScript side as they are found.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

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
    begin(key);
    number(value);
    return *this;
  }
  JsonLine& add(std::string_view key, const std::vector<double>& values) {
    begin(key);
    text_ += '[';
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) text_ += ',';
      number(values[i]);
    }
    text_ += ']';
    return *this;
  }
  void print() const {
    std::fprintf(stdout, "{%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  void number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", value);
    text_ += text;
  }
  void begin(std::string_view key) {
    if (!text_.empty()) text_ += ',';
    text_ += '"';
    text_ += key;
    text_ += "\":";
  }
  std::string text_;
};

}  // namespace faultline::bench
