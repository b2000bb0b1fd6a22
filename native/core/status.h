// The result of an operation that can refuse its arguments. A refusal says which argument of which operation, what was
// expected and received; binding/ turns it into the JavaScript class InvalidArgumentError.
#pragma once

#include <string>
#include <utility>

namespace faultline {

class [[nodiscard]] Status {
 public:
  static Status ok() { return {}; }
  static Status invalid(std::string operation, std::string argument, std::string expected, std::string received) {
    Status s;
    s.operation = std::move(operation);
    s.argument = std::move(argument);
    s.expected = std::move(expected);
    s.received = std::move(received);
    return s;
  }
  explicit operator bool() const { return operation.empty(); }
  std::string message() const {
    return operation + ": " + argument + ": expected " + expected + ", received " + received;
  }

  std::string operation;
  std::string argument;
  std::string expected;
  std::string received;
};

}  // namespace faultline
