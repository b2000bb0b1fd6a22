#include "cuda_emulator.h"

#include <ucontext.h>

#include <cstring>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace faultline::cuda {
namespace {

// The kernels keep a few hundred bytes on the stack; sanitizers need more.
constexpr size_t kStackBytes = 128 * 1024;
constexpr uint8_t kGarbage = 0xcd;

enum class Collective { block, shuffleXor, shuffleFrom, mma, ldmatrix };

struct Copy {
  uint8_t* to;
  const uint8_t* from;
  bool valid;
};

// Threads that meet: a warp at its instructions, a block at its barrier.
struct Meeting {
  int expected = 0;
  int arrived = 0;
  uint64_t generation = 0;
  Collective kind = Collective::block;
  void* operands[kWarp] = {};
};

struct Fiber {
  ucontext_t context;
  bool done = false;
  std::vector<Copy> uncommitted;
  std::deque<std::vector<Copy>> groups;
};

// One block under way. Fibers take turns; each runs up to its next meeting whose others have not all come.
class Machine {
 public:
  void run(const EmulatedBlock& block) {
    block_ = &block;
    error_.clear();
    const size_t threads = static_cast<size_t>(block.threads);
    if (fibers_.size() < threads) {
      fibers_.resize(threads);
      stacks_.resize(threads * kStackBytes);
    }
    shared_.resize(block.sharedBytes / sizeof(Line) + 2);
    std::memset(static_cast<void*>(shared_.data()), kGarbage, shared_.size() * sizeof(Line));
    barrier_ = {};
    barrier_.expected = block.threads;
    warps_.assign(threads / kWarp, {});
    for (Meeting& warp : warps_) warp.expected = kWarp;
    for (size_t i = 0; i < threads; ++i) start(i);
    backwards_ = !backwards_;
    for (int left = block.threads; left > 0;) {
      const uint64_t before = progress_;
      for (size_t turn = 0; turn < threads; ++turn) {
        const size_t i = backwards_ ? threads - 1 - turn : turn;
        Fiber& fiber = fibers_[i];
        if (fiber.done) continue;
        current_ = i;
        swapcontext(&scheduler_, &fiber.context);
        if (!error_.empty()) throw std::logic_error("emulated kernel: " + error_);
        if (fiber.done) {
          --left;
          ++progress_;
        }
      }
      if (progress_ == before) throw std::logic_error("emulated kernel: threads wait for others that never come");
    }
  }

  [[noreturn]] void fail(const char* what) {
    error_ = what;
    for (;;) pause();
  }

  Fiber& fiber() { return fibers_[current_]; }
  int lane() const { return static_cast<int>(current_ % kWarp); }

  // Waits for all of the block, or for the 32 of a warp; the last one applies the instruction to everybody's operands.
  template <typename Apply>
  void meet(Collective kind, void* operand, Apply&& apply) {
    Meeting& m = kind == Collective::block ? barrier_ : warps_[current_ / kWarp];
    if (m.arrived > 0 && m.kind != kind) fail("lanes of a warp execute different collective instructions");
    m.kind = kind;
    if (kind != Collective::block) m.operands[lane()] = operand;
    ++progress_;
    if (++m.arrived == m.expected) {
      apply(m.operands);
      m.arrived = 0;
      ++m.generation;
      return;
    }
    for (const uint64_t mine = m.generation; m.generation == mine;) pause();
  }

 private:
  struct alignas(128) Line {
    uint8_t bytes[128];
  };

  void pause() { swapcontext(&fiber().context, &scheduler_); }

  void start(size_t i) {
    Fiber& fiber = fibers_[i];
    fiber.done = false;
    fiber.uncommitted.clear();
    fiber.groups.clear();
    capture(&fiber.context);
    fiber.context.uc_stack.ss_sp = stacks_.data() + i * kStackBytes;
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &scheduler_;
    makecontext(&fiber.context, enter, 0);
  }
  static void enter();
  // On its own, because getcontext returns twice for all that the compiler knows: no variable may live across it.
  [[gnu::noinline]] static void capture(ucontext_t* context) { getcontext(context); }

  const EmulatedBlock* block_ = nullptr;
  ucontext_t scheduler_;
  std::deque<Fiber> fibers_;  // stays where it is: contexts point into themselves
  std::vector<char> stacks_;
  std::vector<Line> shared_;
  Meeting barrier_;
  std::vector<Meeting> warps_;
  size_t current_ = 0;
  uint64_t progress_ = 0;
  bool backwards_ = false;  // every other block: what depends on who comes first shows in one of two runs
  std::string error_;
};

Machine machine;

void Machine::enter() {
  Machine& m = machine;
  const EmulatedBlock& block = *m.block_;
  const Cta cta = {static_cast<int>(m.current_), block.x, block.y, block.z, m.shared_.data()->bytes};
  block.run(block.params, cta);
  m.fiber().done = true;
}

template <typename T>
T shuffle(Collective kind, T v, int argument) {
  struct Operand {
    T value;
    int from;
    T result;
  } mine = {v, kind == Collective::shuffleXor ? machine.lane() ^ argument : argument, {}};
  machine.meet(kind, &mine, [](void* const* operands) {
    for (int lane = 0; lane < kWarp; ++lane) {
      Operand& o = *static_cast<Operand*>(operands[lane]);
      o.result = static_cast<Operand*>(operands[o.from])->value;
    }
  });
  return mine.result;
}

int byteOf(uint32_t word, int64_t i) { return static_cast<int>(word >> (8 * i) & 255); }

}  // namespace

void emulateBlock(const EmulatedBlock& block) { machine.run(block); }

void syncBlock() {
  machine.meet(Collective::block, nullptr, [](void* const*) {});
}

int32_t shuffleXor(int32_t v, int mask) { return shuffle(Collective::shuffleXor, v, mask); }
float shuffleXor(float v, int mask) { return shuffle(Collective::shuffleXor, v, mask); }
int32_t shuffleFrom(int32_t v, int lane) { return shuffle(Collective::shuffleFrom, v, lane); }

void mmaU8S8(int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t* b) {
  struct Operand {
    int32_t* c;
    const uint32_t* a;
    const uint32_t* b;
  } mine = {c, a, b};
  machine.meet(Collective::mma, &mine, [](void* const* operands) {
    constexpr int kM = 16, kN = 8, kK = 32;
    int code[kM][kK], weight[kK][kN];
    for (int lane = 0; lane < kWarp; ++lane) {
      const Operand& o = *static_cast<const Operand*>(operands[lane]);
      const int group = lane / 4, inGroup = lane % 4;
      for (int j = 0; j < 4; ++j) {
        for (int word = 0; word < 4; ++word) {
          code[group + word % 2 * 8][word / 2 * 16 + inGroup * 4 + j] = byteOf(o.a[word], j);
        }
        for (int word = 0; word < 2; ++word) {
          weight[word * 16 + inGroup * 4 + j][group] = static_cast<int8_t>(byteOf(o.b[word], j));
        }
      }
    }
    for (int lane = 0; lane < kWarp; ++lane) {
      const Operand& o = *static_cast<const Operand*>(operands[lane]);
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < kK; ++k) o.c[i] += code[row][k] * weight[k][column];
      }
    }
  });
}

void loadMatrices(uint32_t (&r)[4], const uint8_t* row) {
  if (reinterpret_cast<uintptr_t>(row) % kChunk != 0) machine.fail("ldmatrix: an address that is no multiple of 16");
  struct Operand {
    uint32_t* r;
    const uint8_t* row;
  } mine = {r, row};
  machine.meet(Collective::ldmatrix, &mine, [](void* const* operands) {
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int matrix = 0; matrix < 4; ++matrix) {
        const uint8_t* from = static_cast<const Operand*>(operands[matrix * 8 + lane / 4])->row + lane % 4 * 4;
        std::memcpy(static_cast<const Operand*>(operands[lane])->r + matrix, from, sizeof(uint32_t));
      }
    }
  });
}

void copyAsync(uint8_t* shared, const uint8_t* global, bool valid) {
  if (reinterpret_cast<uintptr_t>(shared) % kChunk != 0 || reinterpret_cast<uintptr_t>(global) % kChunk != 0) {
    machine.fail("cp.async: an address that is no multiple of 16");
  }
  machine.fiber().uncommitted.push_back({shared, global, valid});
}

void commitCopies() {
  Fiber& fiber = machine.fiber();
  fiber.groups.push_back(std::move(fiber.uncommitted));
  fiber.uncommitted.clear();
}

void waitCopiesUntil(int pending) {
  auto& groups = machine.fiber().groups;
  for (; groups.size() > static_cast<size_t>(pending); groups.pop_front()) {
    for (const Copy& copy : groups.front()) {
      if (copy.valid) {
        std::memcpy(copy.to, copy.from, kChunk);
      } else {
        std::memset(copy.to, 0, kChunk);
      }
    }
  }
}

}  // namespace faultline::cuda
