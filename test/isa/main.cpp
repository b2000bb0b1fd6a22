// faultline_isa_suite: runs the suite on the instruction set that FAULTLINE_ISA names and prints a hash a family.
// --list prints the instruction sets this process can run: "name available", "name emulated".
#include <cstdio>
#include <cstring>
#include <string>

#include "dispatch/dispatch.h"
#include "suite.h"

int main(int argc, char** argv) {
  using namespace faultline;
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (int i = 0; i < kIsaCount; ++i) {
      const Isa isa = static_cast<Isa>(i);
      if (!isaAvailable(isa)) continue;
      std::printf("%s %s\n", std::string(isaName(isa)).c_str(), cpuEmulates(isa) ? "emulated" : "available");
    }
    return 0;
  }
  if (!dispatchStatus()) {
    std::fprintf(stderr, "%s\n", dispatchStatus().message().c_str());
    return 2;
  }
  std::printf("isa %s\n", std::string(isaName(kernels().isa)).c_str());
  const bool matmul = isa::runMatmul();
  const bool conv = isa::runConv();
  const bool onnx = isa::runOnnx();
  return matmul && conv && onnx ? 0 : 1;
}
