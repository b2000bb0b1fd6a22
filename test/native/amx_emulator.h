// AMX for processors without it, so that tests run the very machine code of kernels/amx_int8 everywhere. Tests only.
//
// Two layers: amx::emulate decodes and executes one instruction on given registers and tiles (a pure function, tested
// byte by byte), and a SIGILL handler calls it for the thread that met an AMX instruction. Covered are the instructions
// of AMX-TILE and AMX-INT8 with every form of memory operand; what the processor would refuse (#UD, #GP) stops the
// process with a message that says why. Source: Intel SDM volume 2, "LDTILECFG" … "TDPBUUD", and volume 1, chapter 18.
//
// How a process gets it: core/cpu.cpp calls faultlineProvideAmx, a weak symbol, on a processor without AMX. A C++ test
// links this file (the handler is installed at the first question for the processor); a Node process preloads
// libfaultline_amx_emulator.so. Emulated AMX is used only where it is named (FAULTLINE_ISA, kernelsFor), never chosen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace faultline::amx {

inline constexpr int kTiles = 8;
inline constexpr int kMaxRows = 16;
inline constexpr int kRowBytes = 64;
inline constexpr size_t kConfigBytes = 64;

// What one thread's TILECFG and TILEDATA hold. Zero-initialized: not configured.
struct TileState {
  bool configured = false;
  std::array<uint8_t, kTiles> rows{};
  std::array<uint16_t, kTiles> rowBytes{};  // colsb
  alignas(64) uint8_t data[kTiles][kMaxRows][kRowBytes] = {};
};

// General registers in the order of their encoding: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15.
using Registers = std::array<uint64_t, 16>;

enum class Outcome {
  executed,
  notAmx,   // some other instruction
  refused,  // an AMX instruction that the processor would refuse with #UD or #GP
};

struct Result {
  Outcome outcome = Outcome::notAmx;
  int length = 0;           // bytes of the instruction, when executed
  const char* reason = "";  // why it was refused
};

// Executes the instruction at `code`. `address` is where the code runs (for operands relative to rip).
Result emulate(const uint8_t* code, uint64_t address, const Registers& registers, TileState* tiles);

}  // namespace faultline::amx

// Makes AMX instructions executable in this process; false when the handler cannot be installed.
extern "C" [[gnu::visibility("default")]] bool faultlineProvideAmx();
