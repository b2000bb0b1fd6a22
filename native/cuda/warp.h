// What the CUDA kernels are written against: a thread's place in its block, and the warp's instructions.
//
// Two implementations. Under nvcc: PTX (sm_80 and later). Elsewhere: declarations of an emulation, which only the
// native tests define (test/native/cuda_emulator.cpp: a fiber a thread), so that the same device code is compared with
// the CPU kernels bit for bit on machines without a GPU. The emulation cannot see races in shared memory.
//
// Fragments of mma.m16n8k32 (PTX ISA, "Matrix Fragments for mma.m16n8k32"), g = lane / 4, t = lane % 4, 4 bytes a word:
//   A u8 [16, 32]   a[0]: row g, k 4t…    a[1]: row g + 8, k 4t…    a[2]: row g, k 16 + 4t…    a[3]: row g + 8, k 16 +
//   4t… B s8 [32, 8]    b[0]: column g, k 4t…    b[1]: column g, k 16 + 4t… C s32 [16, 8]   c[0], c[1]: row g, columns
//   2t, 2t + 1    c[2], c[3]: row g + 8
// ldmatrix gives lane L bytes 4t … 4t + 3 of row g of an 8 × 16 byte matrix: exactly one word of A or B.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#define FAULTLINE_DEVICE __device__ __forceinline__
#define FAULTLINE_UNROLL _Pragma("unroll")
#else
#include <cmath>
#include <cstring>
#define FAULTLINE_DEVICE inline
#define FAULTLINE_UNROLL
#endif

namespace faultline::cuda {

inline constexpr int kWarp = 32;

// Where a thread stands. shared: the block's dynamic shared memory, 128-byte aligned.
struct Cta {
  int thread;
  int x, y, z;
  uint8_t* shared;
  FAULTLINE_DEVICE int lane() const { return thread % kWarp; }
  FAULTLINE_DEVICE int warp() const { return thread / kWarp; }
};

struct alignas(16) Bytes16 {
  uint32_t word[4];
};

#ifdef __CUDACC__

FAULTLINE_DEVICE void syncBlock() { __syncthreads(); }

FAULTLINE_DEVICE int32_t shuffleXor(int32_t v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
FAULTLINE_DEVICE float shuffleXor(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
FAULTLINE_DEVICE int32_t shuffleFrom(int32_t v, int lane) { return __shfl_sync(0xffffffffu, v, lane); }

FAULTLINE_DEVICE uint32_t sharedAddress(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

// c += a · b: u8 [16, 32] · s8 [32, 8], wrapping int32.
FAULTLINE_DEVICE void mmaU8S8(int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t* b) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four 8 × 16 byte matrices; lane L gives the address of row L % 8 of matrix L / 8.
FAULTLINE_DEVICE void loadMatrices(uint32_t (&r)[4], const uint8_t* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(sharedAddress(row))
               : "memory");
}

// 16 bytes to shared memory, asynchronously; zeros where !valid (the address must be a mapped one all the same).
FAULTLINE_DEVICE void copyAsync(uint8_t* shared, const uint8_t* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(global),
               "r"(valid ? 16 : 0)
               : "memory");
}
FAULTLINE_DEVICE void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most kPending of this thread's groups are under way.
template <int kPending>
FAULTLINE_DEVICE void waitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// c + Σ of four products u8 · s8.
FAULTLINE_DEVICE int32_t dotU8S8(uint32_t a, uint32_t b, int32_t c) {
  int32_t d;
  asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}

// IEEE fp32, whatever the compiler's flags: nothing is contracted, flushed or approximated.
FAULTLINE_DEVICE float add(float a, float b) { return __fadd_rn(a, b); }
FAULTLINE_DEVICE float subtract(float a, float b) { return __fsub_rn(a, b); }
FAULTLINE_DEVICE float multiply(float a, float b) { return __fmul_rn(a, b); }
FAULTLINE_DEVICE float divide(float a, float b) { return __fdiv_rn(a, b); }
FAULTLINE_DEVICE float fusedMultiplyAdd(float a, float b, float c) { return __fmaf_rn(a, b, c); }
FAULTLINE_DEVICE int32_t roundHalfEven(float v) { return __float2int_rn(v); }
FAULTLINE_DEVICE float toFloat(int32_t v) { return __int2float_rn(v); }
FAULTLINE_DEVICE int32_t truncate(float v) { return __float2int_rz(v); }
FAULTLINE_DEVICE float squareRoot(float v) { return __fsqrt_rn(v); }
FAULTLINE_DEVICE float asFloat(int32_t bits) { return __int_as_float(bits); }

// What blocks share in global memory; the order in which they come does not show in the result.
FAULTLINE_DEVICE void atomicSum(int32_t* p, int32_t v) { atomicAdd(p, v); }
FAULTLINE_DEVICE void atomicLeast(uint64_t* p, uint64_t v) {
  atomicMin(reinterpret_cast<unsigned long long*>(p), static_cast<unsigned long long>(v));
}

#else

// Defined by the emulator (test/native/cuda_emulator.cpp).
void syncBlock();
int32_t shuffleXor(int32_t v, int mask);
float shuffleXor(float v, int mask);
int32_t shuffleFrom(int32_t v, int lane);
void mmaU8S8(int32_t (&c)[4], const uint32_t (&a)[4], const uint32_t* b);
void loadMatrices(uint32_t (&r)[4], const uint8_t* row);
void copyAsync(uint8_t* shared, const uint8_t* global, bool valid);
void commitCopies();
void waitCopiesUntil(int pending);
template <int kPending>
inline void waitCopies() {
  waitCopiesUntil(kPending);
}

inline int32_t dotU8S8(uint32_t a, uint32_t b, int32_t c) {
  for (int i = 0; i < 32; i += 8) c += static_cast<int32_t>(a >> i & 255) * static_cast<int8_t>(b >> i & 255);
  return c;
}
inline float add(float a, float b) { return a + b; }
inline float subtract(float a, float b) { return a - b; }
inline float multiply(float a, float b) { return a * b; }
inline float divide(float a, float b) { return a / b; }
inline float fusedMultiplyAdd(float a, float b, float c) { return std::fmaf(a, b, c); }
inline int32_t roundHalfEven(float v) { return static_cast<int32_t>(std::lrint(v)); }
inline float toFloat(int32_t v) { return static_cast<float>(v); }
inline int32_t truncate(float v) { return static_cast<int32_t>(v); }
inline float squareRoot(float v) { return std::sqrt(v); }
inline float asFloat(int32_t bits) {
  float v;
  std::memcpy(&v, &bits, sizeof(v));
  return v;
}
// Emulated blocks follow one another.
inline void atomicSum(int32_t* p, int32_t v) { *p += v; }
inline void atomicLeast(uint64_t* p, uint64_t v) { *p = v < *p ? v : *p; }

#endif

}  // namespace faultline::cuda
