#include "amx_emulator.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <initializer_list>

namespace faultline::amx {
namespace {

// ---- Decoding -------------------------------------------------------------------------------------------------------

constexpr uint8_t kVex3 = 0xc4;
constexpr int kMap0f38 = 2;
// VEX.pp: the prefix that an instruction stands for.
enum Prefix { kNone = 0, k66 = 1, kF3 = 2, kF2 = 3 };

constexpr uint8_t kOpcodeConfig = 0x49;
constexpr uint8_t kOpcodeMove = 0x4b;
constexpr uint8_t kOpcodeDot = 0x5e;

constexpr int kRegisterForm = 3;  // ModRM.mod
constexpr int kRmSib = 4;         // ModRM.rm: a SIB byte follows
constexpr int kNoBase = 5;        // ModRM.rm or SIB.base with mod 0: a displacement alone
constexpr int kNoIndex = 4;       // SIB.index, with VEX.X

struct Instruction {
  uint8_t opcode;
  int prefix;
  int mod, reg, rm;
  int vvvv;
  bool extended;  // a register number beyond 7 in a place that names a tile
  int length;
  bool hasSib = false;
  uint64_t base = 0;    // base register (or rip) plus displacement
  uint64_t stride = 0;  // index register times scale: the distance of rows in TILELOADD and TILESTORED
};

template <typename T>
T read(const uint8_t* p) {
  T value;
  memcpy(&value, p, sizeof value);
  return value;
}

// False when the bytes are no AMX instruction: not VEX.128.0F38.W0 with one of the three opcodes.
bool decode(const uint8_t* code, uint64_t address, const Registers& registers, Instruction* out) {
  if (code[0] != kVex3) return false;
  const bool r = !(code[1] & 0x80), x = !(code[1] & 0x40), b = !(code[1] & 0x20);
  const bool w = code[2] & 0x80, l = code[2] & 0x04;
  Instruction& in = *out;
  in.opcode = code[3];
  if ((code[1] & 0x1f) != kMap0f38 || w || l) return false;
  if (in.opcode != kOpcodeConfig && in.opcode != kOpcodeMove && in.opcode != kOpcodeDot) return false;
  in.prefix = code[2] & 3;
  in.vvvv = ~(code[2] >> 3) & 15;
  const uint8_t modRm = code[4];
  in.mod = modRm >> 6;
  in.reg = (modRm >> 3) & 7;
  in.rm = modRm & 7;
  in.length = 5;
  in.extended = r || (in.mod == kRegisterForm && b);
  if (in.mod == kRegisterForm) return true;

  int baseRegister = in.rm;
  in.hasSib = in.rm == kRmSib;
  if (in.hasSib) {
    const uint8_t sib = code[in.length++];
    const int index = ((sib >> 3) & 7) | (x ? 8 : 0);
    if (index != kNoIndex) in.stride = registers[static_cast<size_t>(index)] << (sib >> 6);
    baseRegister = sib & 7;
  }
  const bool noBase = in.mod == 0 && baseRegister == kNoBase;
  if (in.mod == 1) {
    in.base = static_cast<uint64_t>(int64_t{read<int8_t>(code + in.length)});
    in.length += 1;
  } else if (in.mod == 2 || noBase) {
    in.base = static_cast<uint64_t>(int64_t{read<int32_t>(code + in.length)});
    in.length += 4;
  }
  if (!noBase) {
    in.base += registers[static_cast<size_t>(baseRegister | (b ? 8 : 0))];
  } else if (!in.hasSib) {
    in.base += address + static_cast<uint64_t>(in.length);  // relative to the next instruction
  }
  return true;
}

// ---- Tiles ----------------------------------------------------------------------------------------------------------

uint8_t* memoryAt(uint64_t address) { return reinterpret_cast<uint8_t*>(static_cast<uintptr_t>(address)); }

bool allZero(const uint8_t* p, int begin, int end) {
  for (int i = begin; i < end; ++i) {
    if (p[i] != 0) return false;
  }
  return true;
}

// The layout of the 64 bytes of LDTILECFG and STTILECFG.
constexpr int kPaletteAt = 0, kStartRowAt = 1, kReservedAt = 2, kColsbAt = 16, kReservedColsbAt = 32, kRowsAt = 48,
              kReservedRowsAt = 56;

// Returns null, or why the processor (or this emulator, for start_row) refuses the configuration.
const char* loadConfig(const uint8_t* config, TileState* tiles) {
  TileState next;
  if (config[kPaletteAt] > 1) return "#GP: LDTILECFG: palette above 1";
  if (config[kPaletteAt] == 1) {
    // Only an interrupted load leaves a start row, and this one is never interrupted.
    if (config[kStartRowAt] != 0) return "LDTILECFG: start_row is not 0, which the emulator does not know";
    if (!allZero(config, kReservedAt, kColsbAt) || !allZero(config, kReservedColsbAt, kRowsAt) ||
        !allZero(config, kReservedRowsAt, static_cast<int>(kConfigBytes))) {
      return "#GP: LDTILECFG: a reserved byte is not zero";
    }
    next.configured = true;
    for (size_t t = 0; t < kTiles; ++t) {
      next.rowBytes[t] = read<uint16_t>(config + kColsbAt + 2 * t);
      next.rows[t] = config[kRowsAt + t];
      if (next.rowBytes[t] > kRowBytes) return "#GP: LDTILECFG: colsb above 64";
      if (next.rows[t] > kMaxRows) return "#GP: LDTILECFG: rows above 16";
      if ((next.rowBytes[t] == 0) != (next.rows[t] == 0)) return "#GP: LDTILECFG: one of rows and colsb is 0";
    }
  }
  *tiles = next;  // the data of all tiles is zeroed, too
  return nullptr;
}

void storeConfig(const TileState& tiles, uint8_t* config) {
  memset(config, 0, kConfigBytes);
  if (!tiles.configured) return;
  config[kPaletteAt] = 1;
  memcpy(config + kColsbAt, tiles.rowBytes.data(), sizeof tiles.rowBytes);
  memcpy(config + kRowsAt, tiles.rows.data(), sizeof tiles.rows);
}

bool usable(const TileState& tiles, int t) { return tiles.configured && tiles.rows[static_cast<size_t>(t)] != 0; }

void loadTile(const Instruction& in, TileState* tiles) {
  const auto t = static_cast<size_t>(in.reg);
  memset(tiles->data[t], 0, sizeof tiles->data[t]);
  for (uint64_t row = 0; row < tiles->rows[t]; ++row) {
    memcpy(tiles->data[t][row], memoryAt(in.base + row * in.stride), tiles->rowBytes[t]);
  }
}

void storeTile(const Instruction& in, const TileState& tiles) {
  const auto t = static_cast<size_t>(in.reg);
  for (uint64_t row = 0; row < tiles.rows[t]; ++row) {
    memcpy(memoryAt(in.base + row * in.stride), tiles.data[t][row], tiles.rowBytes[t]);
  }
}

// c[m][n] += Σ_k Σ_i a[m][4k + i] · b[k][4n + i], modulo 2^32; A and B are int8_t or uint8_t.
template <typename A, typename B>
void dot(size_t c, size_t a, size_t b, TileState* tiles) {
  for (size_t m = 0; m < kMaxRows; ++m) {
    int32_t sums[kRowBytes / 4] = {};
    if (m < tiles->rows[c]) {
      memcpy(sums, tiles->data[c][m], tiles->rowBytes[c]);
      for (size_t k = 0; k < tiles->rowBytes[a] / 4u; ++k) {
        for (size_t n = 0; n < tiles->rowBytes[c] / 4u; ++n) {
          int32_t sum = 0;  // four products of 16 bits each
          for (size_t i = 0; i < 4; ++i) {
            sum += static_cast<A>(tiles->data[a][m][4 * k + i]) * static_cast<B>(tiles->data[b][k][4 * n + i]);
          }
          sums[n] = static_cast<int32_t>(static_cast<uint32_t>(sums[n]) + static_cast<uint32_t>(sum));
        }
      }
    }
    memcpy(tiles->data[c][m], sums, sizeof sums);
  }
}

// ---- Execution ------------------------------------------------------------------------------------------------------

Result executed(const Instruction& in) { return {Outcome::executed, in.length, ""}; }
Result refused(const char* reason) { return {Outcome::refused, 0, reason}; }
Result refusedOr(const char* reason, const Instruction& in) { return reason ? refused(reason) : executed(in); }

// LDTILECFG, STTILECFG, TILERELEASE, TILEZERO.
Result executeConfig(const Instruction& in, TileState* tiles) {
  if (in.vvvv != 0) return refused("#UD: VEX.vvvv is not 1111");
  if (in.mod != kRegisterForm) {
    if (in.reg != 0 || in.extended) return {};
    if (in.prefix == kNone) return refusedOr(loadConfig(memoryAt(in.base), tiles), in);
    if (in.prefix == k66) {
      storeConfig(*tiles, memoryAt(in.base));
      return executed(in);
    }
    return {};
  }
  if (in.prefix == kNone && in.reg == 0 && in.rm == 0 && !in.extended) {
    *tiles = TileState();
    return executed(in);
  }
  if (in.prefix == kF2 && in.rm == 0) {
    if (in.extended) return refused("#UD: TILEZERO: a tile above 7");
    if (!usable(*tiles, in.reg)) return refused("#UD: TILEZERO: the tile is not configured");
    memset(tiles->data[in.reg], 0, sizeof tiles->data[in.reg]);
    return executed(in);
  }
  return {};
}

// TILELOADD, TILELOADDT1, TILESTORED.
Result executeMove(const Instruction& in, TileState* tiles) {
  if (in.prefix == kNone) return {};
  if (in.mod == kRegisterForm || !in.hasSib) return refused("#UD: TILELOADD, TILESTORED: no SIB operand");
  if (in.vvvv != 0) return refused("#UD: VEX.vvvv is not 1111");
  if (in.extended) return refused("#UD: TILELOADD, TILESTORED: a tile above 7");
  if (!usable(*tiles, in.reg)) return refused("#UD: TILELOADD, TILESTORED: the tile is not configured");
  if (in.prefix == kF3) {
    storeTile(in, *tiles);
  } else {
    loadTile(in, tiles);  // T1 is a hint for the cache
  }
  return executed(in);
}

// TDPBSSD (F2), TDPBSUD (F3), TDPBUSD (66), TDPBUUD (none).
Result executeDot(const Instruction& in, TileState* tiles) {
  if (in.mod != kRegisterForm) return refused("#UD: TDPB**D: a memory operand");
  if (in.extended || in.vvvv > 7) return refused("#UD: TDPB**D: a tile above 7");
  if (in.reg == in.rm || in.rm == in.vvvv || in.reg == in.vvvv) return refused("#UD: TDPB**D: a tile used twice");
  for (const int t : {in.reg, in.rm, in.vvvv}) {
    if (!usable(*tiles, t)) return refused("#UD: TDPB**D: a tile is not configured");
    if (tiles->rowBytes[static_cast<size_t>(t)] % 4 != 0) return refused("#UD: TDPB**D: colsb is no multiple of 4");
  }
  const auto c = static_cast<size_t>(in.reg), a = static_cast<size_t>(in.rm), b = static_cast<size_t>(in.vvvv);
  if (tiles->rows[c] != tiles->rows[a]) return refused("#UD: TDPB**D: destination and source 1 differ in rows");
  if (tiles->rowBytes[a] / 4 != tiles->rows[b]) return refused("#UD: TDPB**D: colsb of source 1 is not 4 · rows of 2");
  if (tiles->rowBytes[c] != tiles->rowBytes[b])
    return refused("#UD: TDPB**D: destination and source 2 differ in colsb");
  switch (in.prefix) {
    case kF2:
      dot<int8_t, int8_t>(c, a, b, tiles);
      break;
    case kF3:
      dot<int8_t, uint8_t>(c, a, b, tiles);
      break;
    case k66:
      dot<uint8_t, int8_t>(c, a, b, tiles);
      break;
    default:
      dot<uint8_t, uint8_t>(c, a, b, tiles);
  }
  return executed(in);
}

}  // namespace

Result emulate(const uint8_t* code, uint64_t address, const Registers& registers, TileState* tiles) {
  Instruction in;
  if (!decode(code, address, registers, &in)) return {};
  switch (in.opcode) {
    case kOpcodeConfig:
      return executeConfig(in, tiles);
    case kOpcodeMove:
      return executeMove(in, tiles);
    default:
      return executeDot(in, tiles);
  }
}

// ---- The signal handler ---------------------------------------------------------------------------------------------

namespace {

// In the order of amx::Registers.
constexpr int kContextRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

thread_local TileState threadTiles;
struct sigaction previousAction;

void say(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) abort();
}

// SIGILL is raised by the instruction itself, so this runs at a known point of its own thread, not amid a malloc.
void onIllegalInstruction(int signal, siginfo_t* info, void* context) {
  auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
  Registers registers;
  for (size_t i = 0; i < registers.size(); ++i) {
    registers[i] = static_cast<uint64_t>(machine->gregs[kContextRegisters[i]]);
  }
  const auto address = static_cast<uint64_t>(machine->gregs[REG_RIP]);
  const Result result = emulate(memoryAt(address), address, registers, &threadTiles);
  if (result.outcome == Outcome::executed) {
    machine->gregs[REG_RIP] += result.length;
    return;
  }
  if (result.outcome == Outcome::refused) {
    say("AMX emulator: ");
    say(result.reason);
    say("\n");
    abort();
  }
  if ((previousAction.sa_flags & SA_SIGINFO) != 0) {
    previousAction.sa_sigaction(signal, info, context);
  } else if (previousAction.sa_handler != SIG_DFL && previousAction.sa_handler != SIG_IGN) {
    previousAction.sa_handler(signal);
  } else {
    sigaction(signal, &previousAction, nullptr);  // the instruction runs again, and ends the process
  }
}

bool install() {
  struct sigaction action = {};
  action.sa_sigaction = onIllegalInstruction;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  return sigaction(SIGILL, &action, &previousAction) == 0;
}

}  // namespace
}  // namespace faultline::amx

extern "C" bool faultlineProvideAmx() {
  static const bool installed = faultline::amx::install();
  return installed;
}
