// What to measure, as the TypeScript side sends it on standard input: one job a line, words of the form key=value.
//
//   matmul.s32 m=16 n=1024 k=1024 threads=1,2
//   matmul.int4 m=128 n=1024 k=1024 block=32
//   conv.dynamic n=1 h=56 w=56 c=64 oc=64 kh=3 kw=3 sh=1 sw=1 dh=1 dw=1 pt=1 pl=1 pb=1 pr=1 g=1 wmax=63
#pragma once

#include <string>

#include "core/status.h"
#include "problem.h"

namespace faultline::bench {

Status parseJob(const std::string& line, Job* job);

}  // namespace faultline::bench
