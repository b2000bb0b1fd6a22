// The result of an operation that can refuse its arguments: empty means success.
// Errors are worded "operation: argument: wanted …, came …" and become typed JavaScript errors in binding/.
#pragma once

#include <string>
#include <utility>

namespace faultline {

class [[nodiscard]] Status {
 public:
  static Status ok() { return {}; }
  static Status invalid(std::string message) {
    Status s;
    s.message_ = std::move(message);
    return s;
  }
  explicit operator bool() const { return message_.empty(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

}  // namespace faultline
