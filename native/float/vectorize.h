// Loops over float32 arrays: compiled for several instruction sets, shared among threads in pieces that do not depend
// on how many threads there are. Without contraction (-ffp-contract=off) every set computes the same bits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/parallel.h"

// GCC compiles the function once for each target and picks one when the library is loaded. Plain loops in it become
// vector code; it must call nothing that is not inlined into it.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FAULTLINE_VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FAULTLINE_VECTORIZED
#endif

namespace faultline {

// Elements a piece: large against the cost of handing it out, small against a network's tensors.
inline constexpr int64_t kPiece = 16384;

// fn(begin, end) over [0, count) in pieces of at most `piece` items of `elements` each. One thread for every kPiece
// elements at most: starting more costs more than they save.
template <typename Fn>
void inPieces(int64_t count, int64_t piece, int64_t elements, Fn&& fn) {
  const int64_t pieces = (count + piece - 1) / piece;
  const int64_t worth = std::max<int64_t>(1, count * elements / kPiece);
  parallel(static_cast<int>(std::min({static_cast<int64_t>(threads()), pieces, worth})),
           [&](int thread, int threadCount) {
             const int64_t first = pieces * thread / threadCount;
             const int64_t last = pieces * (thread + 1) / threadCount;
             for (int64_t p = first; p < last; ++p) fn(p * piece, std::min(count, (p + 1) * piece));
           });
}

}  // namespace faultline
