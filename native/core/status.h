// The result of an operation that can refuse its arguments. A refusal says which argument of which operation, what was
// wanted and what came; binding/ turns it into the JavaScript class InvalidArgumentError.
#pragma once

#include <string>
#include <utility>

namespace faultline {

class [[nodiscard]] Status {
 public:
  static Status ok() { return {}; }
  static Status invalid(std::string operation, std::string argument, std::string wanted, std::string came) {
    Status s;
    s.operation = std::move(operation);
    s.argument = std::move(argument);
    s.wanted = std::move(wanted);
    s.came = std::move(came);
    return s;
  }
  explicit operator bool() const { return operation.empty(); }
  std::string message() const { return operation + ": " + argument + ": wanted " + wanted + ", came " + came; }

  std::string operation;
  std::string argument;
  std::string wanted;
  std::string came;
};

}  // namespace faultline
