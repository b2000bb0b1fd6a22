// The native tests' entry: doctest, and --list-isas, which scripts/test.sh reads to run the tests once an instruction
// set.
#define DOCTEST_CONFIG_IMPLEMENT
// doctest would take SIGILL for itself in every test case; the AMX emulator needs it.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#include <doctest/doctest.h>

#include <cstdio>
#include <cstring>

#include "dispatch/dispatch.h"

int main(int argc, char** argv) {
  using namespace faultline;
  if (argc == 2 && std::strcmp(argv[1], "--list-isas") == 0) {
    for (int i = 0; i < kIsaCount; ++i) {
      const Isa isa = static_cast<Isa>(i);
      const char* state = cpuEmulates(isa) && isaCompiled(isa) ? "emulated"
                          : isaAvailable(isa)                  ? "available"
                          : isaCompiled(isa)                   ? "cpu-lacks-it"
                                                               : "not-compiled";
      std::printf("%s %s\n", std::string(isaName(isa)).c_str(), state);
    }
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
