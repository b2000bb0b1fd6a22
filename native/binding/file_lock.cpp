// A lock on an open file that the kernel holds: it goes with the process, however that ends, and is seen from every
// container and PID namespace that has the same file.
#include <napi.h>
#include <sys/file.h>

#include <cerrno>
#include <limits>
#include <system_error>

#include "binding/args.h"
#include "binding/operations.h"

namespace faultline::binding {

// True when the lock was taken, false when another open file has it; until the file is closed.
Napi::Value lockFileBinding(const Napi::CallbackInfo& info) {
  enum : size_t { kDescriptor };
  const Args args(info, "lockFile");
  const int file = static_cast<int>(args.integer(kDescriptor, "descriptor", 0, std::numeric_limits<int>::max()));
  int result;
  do {
    result = flock(file, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EWOULDBLOCK) {
    throw Napi::Error::New(info.Env(), std::generic_category().message(errno));
  }
  return Napi::Boolean::New(info.Env(), result == 0);
}

}  // namespace faultline::binding
