// The AMX emulator: decoding of every operand form, the rules of the processor, and real instructions run through the
// SIGILL handler. On a processor with AMX the last part runs natively, which tests the test.
#include "amx_emulator.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/cpu.h"
#include "random.h"

namespace faultline {
namespace {

using amx::Outcome;
using amx::Registers;
using amx::TileState;

struct TileShape {
  uint8_t rows;
  uint16_t rowBytes;
};

struct alignas(64) Config {
  uint8_t bytes[amx::kConfigBytes] = {};
  explicit Config(const std::vector<TileShape>& shapes, uint8_t palette = 1) {
    bytes[0] = palette;
    for (size_t t = 0; t < shapes.size(); ++t) {
      std::memcpy(bytes + 16 + 2 * t, &shapes[t].rowBytes, 2);
      bytes[48 + t] = shapes[t].rows;
    }
  }
};

constexpr int kRax = 0, kRcx = 1, kRbx = 3, kRsp = 4, kRbp = 5, kRsi = 6, kR8 = 8, kR9 = 9, kR12 = 12, kR13 = 13,
              kR15 = 15;

// ---- Decoding: bytes from the assembler (GNU as 2.40) -------------------------------------------------------------

constexpr int kNone = -1;

struct LoadForm {
  const char* text;
  std::vector<uint8_t> code;
  int tile, base, index, scale;
  int64_t displacement;
};

const std::vector<LoadForm> kLoadForms = {
    {"tileloadd (%rax,%rcx,1), %tmm0", {0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x08}, 0, kRax, kRcx, 1, 0},
    {"tileloadd (%rbx), %tmm1", {0xc4, 0xe2, 0x7b, 0x4b, 0x0c, 0x23}, 1, kRbx, kNone, 1, 0},
    {"tileloadd 0x40(%rsp,%rbp,2), %tmm2", {0xc4, 0xe2, 0x7b, 0x4b, 0x54, 0x6c, 0x40}, 2, kRsp, kRbp, 2, 0x40},
    {"tileloadd -8(%rbp,%rsi,4), %tmm7", {0xc4, 0xe2, 0x7b, 0x4b, 0x7c, 0xb5, 0xf8}, 7, kRbp, kRsi, 4, -8},
    {"tileloadd -0x1234(%r13,%r12,8), %tmm3",
     {0xc4, 0x82, 0x7b, 0x4b, 0x9c, 0xe5, 0xcc, 0xed, 0xff, 0xff},
     3,
     kR13,
     kR12,
     8,
     -0x1234},
    {"tileloadd (%r12,%r9,1), %tmm4", {0xc4, 0x82, 0x7b, 0x4b, 0x24, 0x0c}, 4, kR12, kR9, 1, 0},
    {"tileloadd 0x12345(%rax,%r15,1), %tmm5",
     {0xc4, 0xa2, 0x7b, 0x4b, 0xac, 0x38, 0x45, 0x23, 0x01, 0x00},
     5,
     kRax,
     kR15,
     1,
     0x12345},
    {"tileloadd (%r8,%rax,1), %tmm6", {0xc4, 0xc2, 0x7b, 0x4b, 0x34, 0x00}, 6, kR8, kRax, 1, 0},
    {"tileloaddt1 (%rax,%rcx,1), %tmm0", {0xc4, 0xe2, 0x79, 0x4b, 0x04, 0x08}, 0, kRax, kRcx, 1, 0},
};

TileState configured(const std::vector<TileShape>& shapes) {
  TileState tiles;
  const Config config(shapes);
  Registers registers{};
  registers[kRax] = reinterpret_cast<uintptr_t>(config.bytes);
  const uint8_t ldtilecfgRax[] = {0xc4, 0xe2, 0x78, 0x49, 0x00};
  const amx::Result result = amx::emulate(ldtilecfgRax, 0, registers, &tiles);
  REQUIRE(result.outcome == Outcome::executed);
  REQUIRE(result.length == 5);
  return tiles;
}

constexpr int kRows = 5;
constexpr int kBytes = 24;
const std::vector<TileShape> kAllTiles(amx::kTiles, TileShape{kRows, kBytes});

// Loads through `code`, stores the same tile through the same bytes with the prefix of TILESTORED, and compares.
void checkMove(std::vector<uint8_t> code, int tile, const Registers& registers, uint8_t* memory, int64_t stride) {
  TileState tiles = configured(kAllTiles);
  std::memset(tiles.data, 0xee, sizeof tiles.data);
  amx::Result result = amx::emulate(code.data(), 0, registers, &tiles);
  REQUIRE(result.outcome == Outcome::executed);
  REQUIRE(result.length == static_cast<int>(code.size()));
  for (int row = 0; row < amx::kMaxRows; ++row) {
    for (int i = 0; i < amx::kRowBytes; ++i) {
      const uint8_t wanted = row < kRows && i < kBytes ? memory[row * stride + i] : 0;
      REQUIRE(tiles.data[tile][row][i] == wanted);
    }
  }
  for (auto& row : tiles.data[tile]) std::memset(row, 0x77, sizeof row);
  const uint8_t after = memory[(kRows - 1) * stride + kBytes];
  code[2] = static_cast<uint8_t>((code[2] & ~3) | 2);
  result = amx::emulate(code.data(), 0, registers, &tiles);
  REQUIRE(result.outcome == Outcome::executed);
  for (int row = 0; row < kRows; ++row) {
    for (int i = 0; i < kBytes; ++i) REQUIRE(memory[row * stride + i] == 0x77);
  }
  REQUIRE(memory[(kRows - 1) * stride + kBytes] == after);
}

TEST_CASE("amx emulator: every form of address loads and stores the right rows") {
  test::Random random(1);
  std::vector<uint8_t> memory(4096);
  for (const LoadForm& form : kLoadForms) {
    CAPTURE(form.text);
    for (uint8_t& byte : memory) byte = static_cast<uint8_t>(random.next());
    const int64_t stride = form.index == kNone ? 0 : 16 * 8;
    Registers registers;
    for (uint64_t& value : registers) value = random.next();
    if (form.index != kNone) registers[static_cast<size_t>(form.index)] = static_cast<uint64_t>(stride / form.scale);
    registers[static_cast<size_t>(form.base)] =
        reinterpret_cast<uintptr_t>(memory.data()) - static_cast<uint64_t>(form.displacement);
    checkMove(form.code, form.tile, registers, memory.data(), stride);
  }
}

TEST_CASE("amx emulator: a negative row distance and an address without base") {
  test::Random random(2);
  void* low = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  REQUIRE(low != MAP_FAILED);
  auto* memory = static_cast<uint8_t*>(low);
  for (int i = 0; i < 4096; ++i) memory[i] = static_cast<uint8_t>(random.next());
  Registers registers{};
  std::vector<uint8_t> noBase = {0xc4, 0xe2, 0x7b, 0x4b, 0x04, 0x0d, 0, 0, 0, 0};  // tileloadd disp32(,%rcx,1), %tmm0
  const auto address = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(memory + 2048));
  std::memcpy(noBase.data() + 6, &address, sizeof address);
  registers[kRcx] = 64;
  checkMove(noBase, 0, registers, memory + 2048, 64);
  registers[kRax] = reinterpret_cast<uintptr_t>(memory + 2048);
  registers[kRcx] = static_cast<uint64_t>(-96);
  checkMove(kLoadForms[0].code, 0, registers, memory + 2048, -96);
  munmap(low, 4096);
}

TEST_CASE("amx emulator: the configuration is stored as it was loaded, also relative to rip") {
  const Config config({{16, 64}, {3, 8}, {0, 0}, {1, 4}});
  Registers registers{};
  TileState tiles;
  const uint8_t fromRip[] = {0xc4, 0xe2, 0x78, 0x49, 0x05, 0xf0, 0xff, 0xff, 0xff};  // ldtilecfg -16(%rip)
  REQUIRE(amx::emulate(fromRip, reinterpret_cast<uintptr_t>(config.bytes) + 16 - 9, registers, &tiles).length == 9);
  Config stored({{9, 9}});
  registers[kR9] = reinterpret_cast<uintptr_t>(stored.bytes) - 8;
  const uint8_t store[] = {0xc4, 0xc2, 0x79, 0x49, 0x41, 0x08};  // sttilecfg 8(%r9)
  REQUIRE(amx::emulate(store, 0, registers, &tiles).length == 6);
  REQUIRE(std::memcmp(config.bytes, stored.bytes, sizeof config.bytes) == 0);
  const uint8_t release[] = {0xc4, 0xe2, 0x78, 0x49, 0xc0};
  REQUIRE(amx::emulate(release, 0, registers, &tiles).length == 5);
  REQUIRE_FALSE(tiles.configured);
}

// ---- Rules ----------------------------------------------------------------------------------------------------------

std::string refusal(const std::vector<uint8_t>& code, TileState* tiles, const void* rax = nullptr) {
  Registers registers{};
  registers[kRax] = reinterpret_cast<uintptr_t>(rax);
  const amx::Result result = amx::emulate(code.data(), 0, registers, tiles);
  return result.outcome == Outcome::refused ? result.reason : "";
}

TEST_CASE("amx emulator: configurations that the processor refuses") {
  const std::vector<uint8_t> ldtilecfg = {0xc4, 0xe2, 0x78, 0x49, 0x00};
  TileState tiles;
  const auto refuses = [&](const Config& c, const char* word) {
    return refusal(ldtilecfg, &tiles, c.bytes).find(word) != std::string::npos;
  };
  CHECK(refuses(Config({{16, 64}}, 2), "palette"));
  CHECK(refuses(Config({{17, 64}}), "rows above 16"));
  CHECK(refuses(Config({{16, 65}}), "colsb above 64"));
  CHECK(refuses(Config({{16, 0}}), "one of rows"));
  CHECK(refuses(Config({{0, 64}}), "one of rows"));
  for (const size_t reserved : {2, 15, 32, 47, 56, 63}) {
    Config c({{16, 64}});
    c.bytes[reserved] = 1;
    CHECK(refuses(c, "reserved"));
  }
}

TEST_CASE("amx emulator: operands that the processor refuses") {
  TileState none;
  const std::vector<uint8_t> zero0 = {0xc4, 0xe2, 0x7b, 0x49, 0xc0};
  const std::vector<uint8_t> dot = {0xc4, 0xe2, 0x69, 0x5e, 0xc1};  // tdpbusd %tmm2, %tmm1, %tmm0: 0 += 1 · 2
  CHECK(refusal(zero0, &none).find("not configured") != std::string::npos);
  CHECK(refusal(kLoadForms[0].code, &none).find("not configured") != std::string::npos);
  const auto refusesDot = [&](const std::vector<TileShape>& shapes, const char* word) {
    TileState tiles = configured(shapes);
    return refusal(dot, &tiles).find(word) != std::string::npos;
  };
  CHECK(refusesDot({{16, 64}, {15, 64}, {16, 64}}, "differ in rows"));
  CHECK(refusesDot({{16, 64}, {16, 60}, {16, 64}}, "4 · rows"));
  CHECK(refusesDot({{16, 60}, {16, 64}, {16, 64}}, "differ in colsb"));
  CHECK(refusesDot({{16, 62}, {16, 64}, {16, 62}}, "multiple of 4"));
  CHECK(refusesDot({{16, 64}, {16, 64}}, "not configured"));
  TileState tiles = configured(kAllTiles);
  CHECK(refusal({0xc4, 0xe2, 0x71, 0x5e, 0xc1}, &tiles).find("used twice") != std::string::npos);
  CHECK(refusal({0xc4, 0xc2, 0x69, 0x5e, 0xc1}, &tiles).find("above 7") != std::string::npos);
  // Not AMX: a VEX instruction of another opcode, and ud2.
  Registers registers{};
  const uint8_t vpabsb[] = {0xc4, 0xe2, 0x79, 0x1c, 0xc1}, ud2[] = {0x0f, 0x0b, 0, 0, 0};
  CHECK(amx::emulate(vpabsb, 0, registers, &tiles).outcome == Outcome::notAmx);
  CHECK(amx::emulate(ud2, 0, registers, &tiles).outcome == Outcome::notAmx);
}

// ---- Real instructions ----------------------------------------------------------------------------------------------

constexpr int64_t kStride = 64;
struct alignas(64) Tile {
  uint8_t bytes[amx::kMaxRows][kStride];
};

enum class Signs { ss, su, us, uu };

template <Signs kSigns>
void runDot(const Config& config, const Tile& a, const Tile& b, Tile* c) {
  __asm__ volatile("ldtilecfg %0" ::"m"(config));
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm5" ::"r"(c->bytes), "r"(kStride) : "memory");
  __asm__ volatile("tileloadd (%0,%1,2), %%tmm6" ::"r"(a.bytes), "r"(kStride / 2) : "memory");
  __asm__ volatile("tileloaddt1 (%0,%1,8), %%tmm7" ::"r"(b.bytes), "r"(kStride / 8) : "memory");
  if constexpr (kSigns == Signs::ss) __asm__ volatile("tdpbssd %tmm7, %tmm6, %tmm5");
  if constexpr (kSigns == Signs::su) __asm__ volatile("tdpbsud %tmm7, %tmm6, %tmm5");
  if constexpr (kSigns == Signs::us) __asm__ volatile("tdpbusd %tmm7, %tmm6, %tmm5");
  if constexpr (kSigns == Signs::uu) __asm__ volatile("tdpbuud %tmm7, %tmm6, %tmm5");
  __asm__ volatile("tilestored %%tmm5, (%0,%1,1)" ::"r"(c->bytes), "r"(kStride) : "memory");
  __asm__ volatile("tilezero %%tmm5\n\ttilerelease" ::: "memory");
}

int32_t operand(uint8_t byte, bool isSigned) { return isSigned ? static_cast<int8_t>(byte) : byte; }

template <Signs kSigns>
bool dotIsExact(uint64_t seed) {
  constexpr bool kSignedA = kSigns == Signs::ss || kSigns == Signs::su;
  constexpr bool kSignedB = kSigns == Signs::ss || kSigns == Signs::us;
  test::Random random(seed);
  const int m = static_cast<int>(random.integer(1, 16)), n = static_cast<int>(random.integer(1, 16)),
            k = static_cast<int>(random.integer(1, 16));
  std::vector<TileShape> shapes(8);
  shapes[5] = {static_cast<uint8_t>(m), static_cast<uint16_t>(4 * n)};
  shapes[6] = {static_cast<uint8_t>(m), static_cast<uint16_t>(4 * k)};
  shapes[7] = {static_cast<uint8_t>(k), static_cast<uint16_t>(4 * n)};
  Tile a, b, c, wanted;
  for (Tile* t : {&a, &b, &c}) {
    for (auto& row : t->bytes) {
      for (uint8_t& byte : row) byte = random.chance(0.3) ? 0x80 : static_cast<uint8_t>(random.next());
    }
  }
  wanted = c;
  for (int row = 0; row < m; ++row) {
    for (int col = 0; col < n; ++col) {
      uint32_t sum;
      std::memcpy(&sum, &wanted.bytes[row][4 * col], 4);
      for (int i = 0; i < 4 * k; ++i) {
        sum += static_cast<uint32_t>(operand(a.bytes[row][i], kSignedA) *
                                     operand(b.bytes[i / 4][4 * col + i % 4], kSignedB));
      }
      std::memcpy(&wanted.bytes[row][4 * col], &sum, 4);
    }
  }
  runDot<kSigns>(Config(shapes), a, b, &c);
  return std::memcmp(c.bytes, wanted.bytes, sizeof c.bytes) == 0;
}

bool allExact(uint64_t seed) {
  bool exact = true;
  for (uint64_t i = 0; i < 100; ++i) {
    exact = exact && dotIsExact<Signs::ss>(seed + i) && dotIsExact<Signs::su>(seed + i) &&
            dotIsExact<Signs::us>(seed + i) && dotIsExact<Signs::uu>(seed + i);
  }
  return exact;
}

TEST_CASE("amx instructions give exact products, each thread with tiles of its own") {
  if (!cpuHas(Isa::amxInt8)) return;  // the emulator is installed wherever AVX-512 VNNI is: amx_int8 needs both
  bool other = false;
  std::thread thread([&other] { other = allExact(1000); });
  CHECK(allExact(1));
  thread.join();
  CHECK(other);
}

TEST_CASE("amx emulator: a refused instruction ends the process with SIGABRT, another illegal one with SIGILL") {
  if (!cpuEmulates(Isa::amxInt8)) return;
  const auto endOf = [](auto&& instruction) {
    const pid_t child = fork();
    if (child == 0) {
      close(STDERR_FILENO);
      if (open("/dev/null", O_WRONLY) != STDERR_FILENO) _exit(2);
      instruction();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  };
  CHECK(endOf([] { __asm__ volatile("tilerelease"); }) == 0);
  CHECK(endOf([] { __asm__ volatile("tilerelease\n\ttilezero %tmm0"); }) == SIGABRT);
  CHECK(endOf([] { __asm__ volatile("ud2"); }) == SIGILL);
}

}  // namespace
}  // namespace faultline
